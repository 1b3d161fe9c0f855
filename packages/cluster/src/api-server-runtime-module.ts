import { apiServerRuntime } from '@coxswain/apiserver';
import { ApiServerRuntime, Clock, Logger, Random } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';

/** Binds what custom API servers are run by, for a host's `modules`. */
export function apiServerRuntimeModule(): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(ApiServerRuntime)
      .toResolvedValue((clock: Clock, random: Random, logger: Logger) => apiServerRuntime({ clock, random, logger }), [Clock, Random, Logger])
      .inSingletonScope();
  });
}
