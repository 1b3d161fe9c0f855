import { Network } from '@coxswain/linux';
import { type Clock, type Component, defineComponent, type Logger } from '@coxswain/sdk';
import type { ClusterConfig, HostConfig } from '../cluster-spec.js';
import { ensureHostAddress } from './host-network.js';

const INTERVAL_MS = 2000;

/** Keeps the address and default route of the host whose process this is, also after its link was down. */
export function keepHostNetwork(view: ClusterConfig, host: HostConfig, clock: Clock, logger: Logger): Component {
  return defineComponent('host-network', async () => {
    const stopped = new AbortController();
    const network = new Network();
    const loop = (async () => {
      while (!stopped.signal.aborted) {
        await ensureHostAddress(view, host, network).catch((error: unknown) => logger.warn("the host's address or route could not be set", { err: error }));
        await clock.sleep(INTERVAL_MS, stopped.signal).catch(() => {});
      }
    })();
    return async () => {
      stopped.abort();
      await loop;
    };
  });
}
