import { Resolver } from 'node:dns/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClusterConfig } from '@coxswain/cluster';
import { CliError } from '../cli-error.js';
import { type AdminApi, adminApi } from './admin-api.js';

/** The node's Ready condition, as the API server has it. */
export async function waitForNode(config: ClusterConfig, timeoutMs: number, say: (detail: string) => void): Promise<void> {
  const api = adminApi(config);
  let last = 'the node has not registered';
  try {
    await poll(timeoutMs, async () => {
      try {
        const node = (await api.nodes()).find((n) => n.metadata?.name === config.nodeName);
        const ready = node?.status?.conditions?.find((c) => c.type === 'Ready');
        if (ready?.status === 'True') {
          await labelNode(api, config.nodeName, node?.metadata?.labels);
          return true;
        }
        last = ready?.message ?? last;
        say(last);
      } catch (error) {
        last = (error as Error).message;
      }
      return false;
    });
  } catch {
    throw new CliError(`node ${config.nodeName} did not become Ready within ${timeoutMs / 1000} s: ${last}`, `look at: cox logs node --name ${config.name}`);
  } finally {
    await api.close();
  }
}

const CONTROL_PLANE_LABEL = 'node-role.kubernetes.io/control-plane';

/** A kubelet may not give itself a role; its administrator does, as kubeadm does. */
async function labelNode(api: AdminApi, name: string, labels: Readonly<Record<string, string>> = {}): Promise<void> {
  if (CONTROL_PLANE_LABEL in labels) return;
  await api.client.api.nodes().patch(name, 'merge', { metadata: { labels: { [CONTROL_PLANE_LABEL]: '' } } });
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
