import { join } from 'node:path';
import { createSimRuntime, type SimRuntime } from '@coxswain/cri-sim';
import { Kubelet, type PodNetwork, type ProbeAnswer } from '@coxswain/kubelet';
import { ComponentStateCell } from '@coxswain/sdk';
import type { NodePlan } from '../cluster/options.js';
import type { TestNodes, TestNodesDeps } from './test-nodes.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

interface Running {
  readonly kubelet: Kubelet;
  readonly sim: SimRuntime;
}

/** One real kubelet a node, each on a simulated runtime of its own in this process. */
export class KubeletTestNodes implements TestNodes {
  readonly name = 'nodes';
  readonly #cell = new ComponentStateCell();
  readonly state$: TestNodes['state$'] = this.#cell.state$;
  readonly #running = new Map<string, Running>();

  constructor(private readonly deps: TestNodesDeps) {}

  async start(signal: AbortSignal): Promise<void> {
    this.#cell.set('starting');
    await Promise.all(this.deps.nodes.map((plan) => this.#boot(plan, signal)));
    this.#cell.set('ready');
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#cell.set('stopping');
    await Promise.all([...this.#running.keys()].map((name) => this.#shutDown(name, deadline)));
    this.#cell.set('stopped');
  }

  kill(name: string): Promise<void> {
    this.#plan(name);
    return this.#shutDown(name, AbortSignal.abort());
  }

  async revive(name: string): Promise<void> {
    const plan = this.#plan(name);
    if (!this.#running.has(name)) await this.#boot(plan, new AbortController().signal);
  }

  #plan(name: string): NodePlan {
    const plan = this.deps.nodes.find((n) => n.name === name);
    if (!plan) throw new Error(`there is no node ${JSON.stringify(name)}; there are ${this.deps.nodes.map((n) => n.name).join(', ')}`);
    return plan;
  }

  async #boot(plan: NodePlan, signal: AbortSignal): Promise<void> {
    const { clock, random, logger, dir, clientAs, serving, containers, images } = this.deps;
    const sim = createSimRuntime({ clock, random, containers, images });
    const root = join(dir, plan.name);
    const kubelet = new Kubelet(
      {
        nodeName: plan.name,
        nodeIPs: [plan.address],
        nodeLabels: plan.labels,
        registerWithTaints: plan.taints,
        capacity: plan.capacity,
        maxPods: Number(plan.capacity['pods']),
        rootDir: join(root, 'kubelet'),
        podLogsDir: join(root, 'pods'),
        containerLogsDir: join(root, 'containers'),
        address: plan.address,
        port: 0,
        // Only the API server of this process knows the address.
        authentication: { anonymous: true, webhook: false },
        authorization: 'AlwaysAllow',
        serving,
        cgroupsPerQOS: false,
        mountVolumes: false,
        evictionHard: {},
        // Pods start in no time here: there is nothing to gather.
        statusSettleMs: 0,
        // A simulated machine changes when told to, and what changes is reported at once: looking often only makes hours longer.
        nodeStatusUpdateFrequencyMs: MINUTE,
        runtimeStatusPeriodMs: MINUTE,
        evictionMonitorPeriodMs: HOUR,
        containerLogMonitorIntervalMs: HOUR,
        imageGCPeriodMs: HOUR,
        housekeepingMs: HOUR,
      },
      { client: clientAs(`system:node:${plan.name}`, 'system:nodes'), cri: sim.connect(), clock, random, logger, podNetwork: simulatedNetwork(sim) },
    );
    await kubelet.start(signal);
    this.#running.set(plan.name, { kubelet, sim });
  }

  async #shutDown(name: string, deadline: AbortSignal): Promise<void> {
    const node = this.#running.get(name);
    if (!node) return;
    this.#running.delete(name);
    await node.kubelet.stop(deadline);
    await node.sim.close();
  }
}

/** Pods at addresses that lead nowhere are asked by asking who simulates them. */
function simulatedNetwork(sim: SimRuntime): PodNetwork {
  const ask = async (what: string, host: string): Promise<ProbeAnswer> => {
    const refusal = sim.refusal(host);
    return refusal === undefined ? { outcome: 'success', message: '' } : { outcome: 'failure', message: `${what}: ${refusal}` };
  };
  return {
    http: ({ host, port, path = '/' }) => ask(`Get "http://${host}:${port}${path}"`, host),
    tcp: (host, port) => ask(`dial tcp ${host}:${port}`, host),
    grpc: (host, port) => ask(`timeout: failed to connect service "${host}:${port}"`, host),
  };
}
