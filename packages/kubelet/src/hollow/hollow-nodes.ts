import type { Node, Pod } from '@coxswain/api';
import { InformerFactory, type KubeClient, Resources } from '@coxswain/client';
import type { CriConnection } from '@coxswain/cri';
import type { MachineFacts } from '@coxswain/linux';
import { type Clock, type Component, ComponentStateCell, type Logger, type Random } from '@coxswain/sdk';
import { admitPod } from '../node/admission.js';
import { NodeLease } from '../node/lease.js';
import { newNode, nodeAllocatable, nodeCapacity, nodeStatus } from '../node/node-object.js';
import { kubeletOptions, type KubeletOptions, type Taint } from '../options.js';
import { observedContainer, observedSandbox } from '../pod/from-cri.js';
import { PodCache } from '../pod/pod-cache.js';
import { StatusManager } from '../status/status-manager.js';
import { HollowPod } from './hollow-pod.js';

export interface HollowNodeSpec {
  readonly name: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly Taint[];
  readonly capacity?: Readonly<Record<string, string>>;
  readonly address: string;
}

export interface HollowNodesOptions {
  readonly nodes: readonly HollowNodeSpec[];
  /** May act for all of the nodes. */
  readonly client: KubeClient;
  /** One simulated runtime for all of them; it gives pods addresses before any kubelet told it a network. */
  readonly cri: CriConnection;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Default 40 s; upstream's. */
  readonly leaseDurationSeconds?: number;
}

interface HollowNode {
  readonly spec: HollowNodeSpec;
  readonly options: KubeletOptions;
  readonly allocatable: Readonly<Record<string, string>>;
  readonly pods: Map<string, HollowPod>;
  node: Node | undefined;
  stopped: AbortController;
}

/** Requests in flight while nodes register. */
const AT_ONCE = 16;

/**
 * Many nodes that are not machines, in one component: registration, leases, and the life of pods, with the kubelet's own decisions and
 * statuses over a simulated runtime. They share one pod informer and one runtime and have no HTTP API, so a thousand of them cost
 * what their pods cost.
 */
export class HollowNodes implements Component {
  readonly name = 'hollow-nodes';
  readonly #cell = new ComponentStateCell();
  readonly state$: Component['state$'] = this.#cell.state$;
  readonly #nodes = new Map<string, HollowNode>();
  readonly #byUid = new Map<string, HollowNode>();
  readonly #cache = new PodCache();
  readonly #stopping = new AbortController();
  readonly #status: StatusManager;
  #informers: InformerFactory | undefined;
  #started = false;

  constructor(private readonly options: HollowNodesOptions) {
    const { client, clock, logger } = options;
    this.#status = new StatusManager({ client, clock, logger, apiPod: (pod) => this.#pod(pod.metadata?.uid ?? '')?.pod }, { settleMs: 0 });
    for (const spec of options.nodes) this.#nodes.set(spec.name, this.#plan(spec));
  }

  async start(signal: AbortSignal): Promise<void> {
    if (this.#started) return;
    this.#started = true;
    this.#cell.set('starting');
    try {
      void this.#followRuntime();
      const queue = [...this.#nodes.values()];
      await Promise.all(
        Array.from({ length: AT_ONCE }, async () => {
          for (let next = queue.shift(); next; next = queue.shift()) await this.#register(next, signal);
        }),
      );
      const { client, clock, random, logger } = this.options;
      this.#informers = new InformerFactory({ client, clock, random, logger });
      const pods = this.#informers.informer(Resources.pods, { fieldSelector: 'spec.nodeName!=' });
      pods.addHandler({ add: (pod) => this.#set(pod), update: (_old, pod) => this.#set(pod), delete: (pod) => this.#gone(pod) });
      this.#informers.start();
      await this.#informers.synced(signal);
      void this.#renewLeases();
    } catch (error) {
      this.#cell.set('failed', (error as Error).message);
      throw error;
    }
    this.#cell.set('ready');
  }

  async stop(): Promise<void> {
    if (!this.#started || this.#stopping.signal.aborted) return;
    this.#cell.set('stopping');
    this.#stopping.abort(new Error('the nodes are stopping'));
    await this.#informers?.stop();
    for (const node of this.#nodes.values()) for (const pod of node.pods.values()) pod.close();
    this.#status.close();
    this.#cell.set('stopped');
  }

  /** A node dies: no more leases and no more work. What was its pods' stays as it is in the API. */
  kill(name: string): void {
    const node = this.#node(name);
    node.stopped.abort(new Error('the node was killed'));
    for (const pod of node.pods.values()) pod.close();
  }

  /** A killed node comes back, with nothing of its pods running. */
  async revive(name: string): Promise<void> {
    const node = this.#node(name);
    if (!node.stopped.signal.aborted) return;
    node.stopped = new AbortController();
    const pods = [...node.pods.values()].map((p) => p.pod);
    for (const pod of pods) {
      const { sandboxes, containers } = this.#cache.get(pod.metadata?.uid ?? '');
      for (const { id } of sandboxes) await this.options.cri.runtime.removePodSandbox({ podSandboxId: id });
      for (const { id } of [...containers, ...sandboxes]) this.#cache.remove(id);
    }
    node.pods.clear();
    await this.#register(node, this.#stopping.signal);
    void this.#renew(node);
    for (const pod of pods) this.#set(pod);
  }

  #node(name: string): HollowNode {
    const node = this.#nodes.get(name);
    if (!node) throw new Error(`there is no node ${JSON.stringify(name)}; there are ${[...this.#nodes.keys()].slice(0, 5).join(', ')}`);
    return node;
  }

  #plan(spec: HollowNodeSpec): HollowNode {
    const options = kubeletOptions({
      nodeName: spec.name,
      nodeIPs: [spec.address],
      nodeLabels: spec.labels ?? {},
      registerWithTaints: spec.taints ?? [],
      capacity: spec.capacity ?? {},
      evictionHard: {},
      maxPods: Number(spec.capacity?.['pods'] ?? 110),
    });
    const allocatable = nodeAllocatable(nodeCapacity({ options, machine, disk }), options);
    return { spec, options, allocatable, pods: new Map(), node: undefined, stopped: new AbortController() };
  }

  async #register(node: HollowNode, signal: AbortSignal): Promise<void> {
    const { client, clock } = this.options;
    const nodes = client.api.nodes();
    const status = nodeStatus(node.node?.status, {
      options: node.options,
      machine,
      disk,
      runtime: { name: 'cri-sim', version: '0.1.0', handlers: [], supplementalGroupsPolicy: false },
      notReady: [],
      pressure: { memory: false, disk: false, pids: false },
      images: [],
      port: 0,
      volumesInUse: [],
      now: clock.now(),
    });
    try {
      node.node = await nodes.create(newNode(status, node.options, machine.architecture), { signal });
    } catch (error) {
      if ((error as { code?: unknown }).code !== 409) throw error;
      node.node = await nodes.patch(node.spec.name, 'strategic', { status }, { subresource: 'status', signal });
    }
    await this.#lease(node).renew(signal);
  }

  #lease({ spec, node }: HollowNode): NodeLease {
    const { client, clock, logger, leaseDurationSeconds = 40 } = this.options;
    const reference = node?.metadata?.uid ? { name: spec.name, uid: node.metadata.uid } : undefined;
    return new NodeLease(client, clock, logger, spec.name, leaseDurationSeconds, () => reference);
  }

  /** Nodes do not all renew in one moment, as machines do not. */
  async #renewLeases(): Promise<void> {
    const { clock, leaseDurationSeconds = 40 } = this.options;
    const nodes = [...this.#nodes.values()];
    const stepMs = (leaseDurationSeconds * 1000) / 4 / nodes.length;
    for (const node of nodes) {
      if (this.#stopping.signal.aborted) return;
      void this.#renew(node);
      await clock.sleep(stepMs, this.#stopping.signal).catch(() => {});
    }
  }

  #renew(node: HollowNode): Promise<void> {
    return this.#lease(node).run(AbortSignal.any([this.#stopping.signal, node.stopped.signal]));
  }

  #pod(uid: string): HollowPod | undefined {
    return this.#byUid.get(uid)?.pods.get(uid);
  }

  #set(pod: Pod): void {
    const uid = pod.metadata?.uid ?? '';
    const node = this.#nodes.get(pod.spec?.nodeName ?? '');
    if (!node || node.stopped.signal.aborted) return;
    const known = node.pods.get(uid);
    if (known) {
      // Our own status comes back: nothing to do. What others change matters.
      const { spec, metadata } = known.pod;
      known.pod = pod;
      this.#status.apiChanged(uid);
      if (metadata?.generation !== pod.metadata?.generation || metadata?.deletionTimestamp !== pod.metadata?.deletionTimestamp || spec === undefined)
        known.wake();
      return;
    }
    const made = new HollowPod(pod, {
      clock: this.options.clock,
      cri: this.options.cri,
      cache: this.#cache,
      status: this.#status,
      backoff: node.options.crashLoopBackOff,
      hostIPs: [node.spec.address],
      admit: (candidate) =>
        admitPod(candidate, {
          node: node.node,
          allocatable: node.allocatable,
          allowedUnsafeSysctls: [],
          others: [...node.pods.values()].filter((p) => p.uid !== uid && p.takesRoom).map((p) => p.pod),
        }),
      deleteFromApi: (gone) => this.#delete(gone),
      finished: (over) => {
        node.pods.delete(over);
        this.#byUid.delete(over);
      },
      failed: (error) => this.options.logger.warn('a step of a pod failed; will try again', { pod: pod.metadata?.name, err: error }),
    });
    node.pods.set(uid, made);
    this.#byUid.set(uid, node);
    made.wake();
  }

  #gone(pod: Pod): void {
    this.#pod(pod.metadata?.uid ?? '')?.set(undefined);
  }

  async #delete(pod: Pod): Promise<void> {
    const { name = '', namespace, uid } = pod.metadata ?? {};
    try {
      await this.options.client.api.pods(namespace).delete(name, { gracePeriodSeconds: 0, ...(uid ? { preconditions: { uid } } : {}) });
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      if (code !== 404 && code !== 409) throw error;
    }
  }

  /** What containers do by themselves. */
  async #followRuntime(): Promise<void> {
    const { cri, clock, logger } = this.options;
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        for await (const event of cri.runtime.getContainerEvents({}, { signal })) {
          const { podSandboxStatus: sandbox, containersStatuses } = event;
          const uid = sandbox?.metadata?.uid ?? '';
          const pod = this.#pod(uid);
          // Starting is our own doing and looked at as it is done.
          if (!sandbox || !pod || event.containerEventType !== 2) continue;
          const id = { uid, name: sandbox.metadata?.name ?? '', namespace: sandbox.metadata?.namespace ?? '' };
          let news = this.#cache.putSandbox(id, observedSandbox(sandbox));
          for (const status of containersStatuses) news = this.#cache.putContainer(id, observedContainer(status, sandbox.id)) || news;
          if (news) pod.wake();
        }
      } catch (error) {
        if (!signal.aborted) logger.warn('the event stream of the simulated runtime broke', { err: error });
      }
      if (!signal.aborted) await clock.sleep(100, signal).catch(() => {});
    }
  }
}

const GiB = 1024 ** 3;

/** What a node has that was given no capacity. */
const machine: MachineFacts = {
  cpuCount: 8,
  memoryBytes: 32 * GiB,
  swapBytes: 0,
  machineId: '00000000000000000000000000000000',
  systemUuid: '00000000-0000-0000-0000-000000000000',
  bootId: '00000000-0000-0000-0000-000000000000',
  kernelVersion: 'simulated',
  osImage: 'simulated',
  architecture: 'amd64',
};
const disk = { totalBytes: 100 * GiB, availableBytes: 100 * GiB, usedBytes: 0, totalInodes: 1e7, freeInodes: 1e7 };
