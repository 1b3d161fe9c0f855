import { type ClusterConfig, controlPlaneComponents } from '@coxswain/cluster';
import { createHost, type Host } from '@coxswain/host';
import type { ClusterPki } from '@coxswain/pki';
import { type Logger, use } from '@coxswain/sdk';
import { lmdbStore } from '@coxswain/store-lmdb';

/** The control plane as `cox up` composes it: everything on one embedded store. */
export function controlPlaneHost(config: ClusterConfig, pki: ClusterPki, logger: Logger, onStarted: (name: string) => void): Promise<Host> {
  return createHost({
    plugins: [use(lmdbStore, { path: config.paths.store })],
    components: controlPlaneComponents(config, pki),
    logger,
    onStarted: ({ component }) => onStarted(component.name),
  });
}
