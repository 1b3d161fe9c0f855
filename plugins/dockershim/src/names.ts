import type { Random } from '@coxswain/sdk';
import { newId } from '@coxswain/cri';
import type { ContainerMetadata, PodSandboxConfig } from '@coxswain/cri';
import { isEngineStatus } from './engine/engine-error.js';

type PodMetadata = PodSandboxConfig['metadata'];

/** What `docker ps` shows: upstream's names, `k8s_<container>_<pod>_<namespace>_<uid>_<attempt>`; a sandbox's container is `POD`. */
export function engineName(container: Pick<ContainerMetadata, 'name' | 'attempt'> | undefined, pod: PodMetadata): string {
  const attempt = container ? container.attempt : (pod?.attempt ?? 0);
  return ['k8s', container?.name ?? 'POD', pod?.name ?? '', pod?.namespace ?? '', pod?.uid ?? '', attempt].join('_');
}

/** The engine's names are unique, also those of dead containers; ours are unique in their sandbox. So a taken name gets a tail. */
export async function withFreeName<T>(name: string, random: Random, create: (name: string) => Promise<T>): Promise<T> {
  try {
    return await create(name);
  } catch (error) {
    if (!isEngineStatus(error, 409)) throw error;
    return create(`${name}_${newId(random).slice(0, 8)}`);
  }
}
