import { join } from 'node:path';
import { use } from '@coxswain/sdk';
import { checkContainerd, checkOciRuntime } from '../preflight/checks.js';
import type { NodeRuntime } from './runtime.js';

/** cri-containerd over a containerd of the cluster's own. */
export const containerdRuntime: NodeRuntime = {
  name: 'containerd',
  description: "our CRI server over containerd's own API",
  checks: () => [checkContainerd(), checkOciRuntime()],
  daemons: [
    {
      name: 'containerd',
      async start({ paths }, launcher) {
        // `checks` came first.
        const { startContainerd } = await import('@coxswain/cri-containerd');
        const { containerdRoot, containerdState, containerdSocket } = paths;
        return startContainerd({ root: containerdRoot, state: containerdState, socket: containerdSocket, launcher, checked: true });
      },
      // containerd keeps its log in its own root.
      logFile: ({ paths }) => join(paths.containerdRoot, 'containerd.log'),
      graceMs: 5_000,
    },
  ],
  async criServer({ paths }) {
    const { criContainerd } = await import('@coxswain/cri-containerd');
    return use(criContainerd, {
      endpoint: `unix://${paths.criSocket}`,
      containerdSocket: paths.containerdSocket,
      containerdRoot: paths.containerdRoot,
      root: paths.cri,
      state: paths.criRun,
      cniConfDir: paths.cniConf,
    });
  },
  async importImage({ paths }, tar) {
    const { importImage } = await import('@coxswain/cri-containerd');
    return importImage(paths.containerdSocket, tar);
  },
  importsThrough: 'containerd',
  teardown: [
    {
      title: 'releasing pod sandboxes',
      run: async ({ paths }) => {
        const { cleanCriState } = await import('@coxswain/cri-containerd');
        return cleanCriState(paths.criRun);
      },
    },
    {
      title: 'ending container shims',
      run: async ({ paths }) => {
        const { killShims } = await import('@coxswain/cri-containerd');
        return killShims(paths.containerdSocket);
      },
    },
  ],
};
