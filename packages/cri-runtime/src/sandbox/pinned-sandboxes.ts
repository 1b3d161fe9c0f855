import { join } from 'node:path';
import type { Clock, Logger, Random } from '@coxswain/sdk';
import { MappedLayers } from '../container/mapped-layers.js';
import { MappedMounts } from '../container/mapped-mounts.js';
import type { PauseRunner } from './pause.js';
import { PinnedHolder } from './pinned-holder.js';
import { SandboxManager } from './sandbox-manager.js';
import { SandboxNetwork, type SandboxNetworkOptions } from './sandbox-network.js';
import { UserNamespaces } from './user-namespaces.js';

export interface PinnedSandboxesOptions {
  /** The server's; survives reboots. */
  readonly root: string;
  /** The server's; does not. */
  readonly state: string;
  readonly cni: Omit<SandboxNetworkOptions, 'cacheDir'> & { readonly cacheDir?: string };
  readonly pause: PauseRunner;
  /** RuntimeClass handlers, the default first. */
  readonly handlers: readonly string[];
  /** What a handler runs. */
  readonly program: (handler: string) => string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Pods' sandboxes that we hold ourselves by pinning their namespaces, and what pods with user namespaces need beside them. */
export async function pinnedSandboxes({ root, state, cni, pause, handlers, program, clock, random, logger }: PinnedSandboxesOptions) {
  const network = new SandboxNetwork({ ...cni, cacheDir: cni.cacheDir ?? join(root, 'cni') });
  const users = new UserNamespaces({ programDir: join(root, 'bin'), folders: [root, state], scratchDir: join(root, 'try'), program });
  const mappedLayers = new MappedLayers(join(state, 'l'));
  await mappedLayers.clear();
  const stateDir = join(state, 'sandboxes');
  const holder = new PinnedHolder({ stateDir, pause, users, random });
  const sandboxes = new SandboxManager({ rootDir: join(root, 'sandboxes'), stateDir, network, holder, handlers, clock, logger });
  return { network, sandboxes, mappedLayers, mapped: new MappedMounts(join(state, 'mapped')) };
}
