import { Resolver } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClusterConfig, NodeNotReadyError, waitForNode as waitForReadyNode } from '@coxswain/cluster';
import { systemClock } from '@coxswain/sdk';
import { CliError } from '../cli-error.js';
import { adminApi } from './admin-api.js';

/** The node's Ready condition, as the API server has it. */
export async function waitForNode(config: ClusterConfig, timeoutMs: number, say: (detail: string) => void): Promise<void> {
  const { client, close } = adminApi(config);
  try {
    await waitForReadyNode({ client, nodeName: config.nodeName, clock: systemClock, timeoutMs, onWaiting: say });
  } catch (error) {
    if (!(error instanceof NodeNotReadyError)) throw error;
    throw new CliError(error.message, `look at: cox logs node --name ${config.name}`);
  } finally {
    await close();
  }
}

/** Ask cluster DNS, over its service address, for the API server's name. */
export async function waitForDns(config: ClusterConfig, timeoutMs: number): Promise<void> {
  const resolver = new Resolver({ timeout: 250, tries: 1 });
  resolver.setServers([config.dnsIP]);
  let last = '';
  try {
    await poll(timeoutMs, async () => {
      try {
        return (await resolver.resolve4(`kubernetes.default.svc.${config.clusterDomain}`)).includes(config.apiServiceIP);
      } catch (error) {
        last = (error as Error).message;
        return false;
      }
    });
  } catch {
    throw new CliError(`cluster DNS at ${config.dnsIP} did not answer within ${timeoutMs / 1000} s: ${last}`, `look at: cox logs node --name ${config.name}`);
  }
}

async function poll(timeoutMs: number, look: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + timeoutMs;
  while (!(await look())) {
    if (performance.now() > until) throw new Error('timed out');
    await sleep(20);
  }
}
