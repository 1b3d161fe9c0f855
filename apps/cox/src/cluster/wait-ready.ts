import { Resolver } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClusterConfig, isControlPlane, NodeNotReadyError, waitForNode as waitForReadyNode } from '@coxswain/cluster';
import { systemClock } from '@coxswain/sdk';
import { CliError } from '@coxswain/command';
import { adminApi } from './admin-api.js';

const NODE_TIMEOUT_MS = 60_000;
const DNS_TIMEOUT_MS = 30_000;

/** The Ready condition of the view's node, as the API server has it. */
export async function waitForNode(config: ClusterConfig, view: ClusterConfig, say: (detail: string) => void, timeoutMs = NODE_TIMEOUT_MS): Promise<void> {
  const { client, close } = adminApi(config);
  try {
    await waitForReadyNode({ client, nodeName: view.nodeName, clock: systemClock, timeoutMs, controlPlane: isControlPlane(view), onWaiting: say });
  } catch (error) {
    if (!(error instanceof NodeNotReadyError)) throw error;
    throw new CliError(error.message, `look at: cox logs ${view.host ? `${view.host.name}/` : ''}node --name ${config.name}`);
  } finally {
    await close();
  }
}

/** Ask cluster DNS for the API server's name: over its service address, or on a host, whose services the machine has no rules for, the server there. */
export async function waitForDns(view: ClusterConfig, timeoutMs = DNS_TIMEOUT_MS): Promise<void> {
  const server = view.host ? `${view.host.ip}:${view.ports.dns}` : view.dnsIP;
  const resolver = new Resolver({ timeout: 250, tries: 1 });
  resolver.setServers([server]);
  let last = '';
  try {
    await poll(timeoutMs, async () => {
      try {
        return (await resolver.resolve4(`kubernetes.default.svc.${view.clusterDomain}`)).includes(view.apiServiceIP);
      } catch (error) {
        last = (error as Error).message;
        return false;
      }
    });
  } catch {
    throw new CliError(
      `cluster DNS at ${server} did not answer within ${timeoutMs / 1000} s: ${last}`,
      `look at: cox logs ${view.host ? `${view.host.name}/` : ''}node --name ${view.name}`,
    );
  }
}

async function poll(timeoutMs: number, look: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + timeoutMs;
  while (!(await look())) {
    if (performance.now() > until) throw new Error('timed out');
    await sleep(20);
  }
}
