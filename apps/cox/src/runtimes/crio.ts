import { use } from '@coxswain/sdk';
import { checkOciRuntime, checkProgram } from '../preflight/checks.js';
import type { NodeRuntime } from './runtime.js';

/** cri-o: no daemon beneath; images are kept by us, containers are watched by conmon. */
export const crioRuntime: NodeRuntime = {
  name: 'crio',
  description: 'our CRI server with no daemon beneath: crun or runc, each container watched by conmon',
  checks: () => [checkProgram('conmon', 'conmon', ['--version'], [2, 0]), checkOciRuntime()],
  daemons: [],
  async criServer({ paths }) {
    const { crio } = await import('@coxswain/cri-o');
    return use(crio, { endpoint: `unix://${paths.criSocket}`, root: paths.cri, state: paths.criRun, cniConfDir: paths.cniConf });
  },
  async importImage({ paths }, tar) {
    const { importCrioImage } = await import('@coxswain/cri-o');
    return importCrioImage(paths.cri, tar);
  },
  teardown: [
    {
      title: 'ending container monitors',
      run: async ({ paths }) => {
        const { killMonitors } = await import('@coxswain/cri-o');
        return killMonitors(paths.criRun);
      },
    },
    {
      title: 'releasing pod sandboxes',
      run: async ({ paths }) => {
        const { cleanCrioState } = await import('@coxswain/cri-o');
        return cleanCrioState(paths.criRun);
      },
    },
  ],
};
