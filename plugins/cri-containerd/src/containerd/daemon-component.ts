import { type Component, defineComponent } from '@coxswain/sdk';
import { cleanCriState } from '../clean-state.js';
import { type StartContainerdOptions, startContainerd } from './daemon.js';
import { killShims } from './shims.js';

export interface ContainerdComponentOptions extends StartContainerdOptions {
  /** The `state` folder of the CRI server that uses this containerd. */
  readonly criState: string;
}

/**
 * An own containerd that lives as long as a cluster in one process: its stop ends containerd with its shims, and removes what the
 * CRI server would have kept for a next start. Containers must have been removed before.
 */
export function containerdComponent(options: ContainerdComponentOptions): Component {
  return defineComponent('containerd', async (signal) => {
    const daemon = await startContainerd({ ...options, signal });
    return async () => {
      await cleanCriState(options.criState);
      await killShims(options.socket, options.clock);
      await daemon.stop();
    };
  });
}
