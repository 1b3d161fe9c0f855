import { join } from 'node:path';
import type { ClusterConfig } from '@coxswain/cluster';
import { use } from '@coxswain/sdk';
import { checkProgram, checkRunc } from '../preflight/checks.js';
import type { NodeRuntime } from './runtime.js';

const root = ({ paths }: ClusterConfig) => join(paths.state, 'docker');
const state = ({ paths }: ClusterConfig) => join(paths.run, 'docker');
const socket = ({ paths }: ClusterConfig) => join(paths.run, 'docker.sock');

/** dockershim over a Docker Engine of the cluster's own, which brings its containerd. */
export const dockerRuntime: NodeRuntime = {
  name: 'docker',
  description: 'our CRI server over the Docker Engine API',
  checks: () => [checkProgram('dockerd', 'docker.io', ['--version'], [20, 10]), checkProgram('containerd', 'containerd', ['--version'], [1, 6]), checkRunc()],
  daemons: [
    {
      name: 'dockerd',
      async start(config, launcher) {
        const { startDockerd } = await import('@coxswain/dockershim');
        return startDockerd({ root: root(config), state: state(config), socket: socket(config), launcher });
      },
      // As dockerdLog() of the plugin says, which is not loaded for it.
      logFile: (config) => join(root(config), 'dockerd.log'),
      graceMs: 15_000,
    },
  ],
  async criServer(config) {
    const { paths } = config;
    const { dockershim } = await import('@coxswain/dockershim');
    return use(dockershim, {
      endpoint: `unix://${paths.criSocket}`,
      engineSocket: socket(config),
      root: paths.cri,
      state: paths.criRun,
      cniConfDir: paths.cniConf,
    });
  },
  async importImage(config, tar) {
    const { importDockerImage } = await import('@coxswain/dockershim');
    return importDockerImage(socket(config), tar);
  },
  importsThrough: 'dockerd',
  teardown: [],
  afterDaemons: [
    {
      title: "removing the engine's state",
      run: async (config) => {
        const { cleanDockerdState } = await import('@coxswain/dockershim');
        return cleanDockerdState(state(config));
      },
    },
  ],
};
