import { success, type SchedulerPlugin } from '@coxswain/sdk';
import type { ClusterActions } from '../framework/handle.js';

/** Binds through the API: POST pods/{name}/binding. */
export const defaultBinder = (actions: ClusterActions): SchedulerPlugin => ({
  name: 'DefaultBinder',
  events: [],
  async bind(_state, pod, node, signal) {
    try {
      await actions.bind(pod, node, signal);
      return success;
    } catch (error) {
      return { code: 'error', error: error as Error };
    }
  },
});
