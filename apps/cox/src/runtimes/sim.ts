import { use } from '@coxswain/sdk';
import { CliError } from '@coxswain/command';
import type { NodeRuntime } from './runtime.js';

/** cri-sim: containers by script. Pods have addresses that lead nowhere; whatever an image is called, it is there. */
export const simRuntime: NodeRuntime = {
  name: 'sim',
  description: 'simulated containers, by the scripts of their annotations: for trying out what the cluster does with pods',
  checks: () => [],
  daemons: [],
  async criServer({ paths }) {
    const { criSim } = await import('@coxswain/cri-sim');
    return use(criSim, { endpoint: `unix://${paths.criSocket}`, root: paths.cri });
  },
  async importImage() {
    throw new CliError('the runtime "sim" has no images to load: every name can be pulled', 'use the image by its name', 2);
  },
  teardown: [],
};
