import { AddonContext } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';

/** Tells add-ons where they run. */
export function addonContext(context: AddonContext): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(AddonContext).toConstantValue(context);
  });
}
