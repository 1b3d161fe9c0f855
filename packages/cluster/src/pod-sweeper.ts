import { connectCri } from '@coxswain/cri';
import { type Component, type CriServer, defineComponent, type Logger } from '@coxswain/sdk';

/**
 * Ends every pod of a node through its CRI server when it stops. A kubelet that stops leaves its pods running, for the next one to
 * adopt; put this between CRI server and kubelet where there will be no next one.
 */
export function podSweeper(server: CriServer, logger: Logger): Component {
  return defineComponent('pod-sweeper', async () => async (signal) => {
    const { runtime, close } = connectCri({ endpoint: server.endpoint });
    try {
      const { items } = await runtime.listPodSandbox({}, { signal });
      const outcomes = await Promise.allSettled(
        items.map(async ({ id: podSandboxId }) => {
          await runtime.stopPodSandbox({ podSandboxId }, { signal });
          await runtime.removePodSandbox({ podSandboxId }, { signal });
        }),
      );
      // Not an end to the stop: `removeLeftovers` takes what is left by force.
      for (const outcome of outcomes) if (outcome.status === 'rejected') logger.warn('a pod sandbox could not be removed', { err: outcome.reason });
    } finally {
      close();
    }
  });
}
