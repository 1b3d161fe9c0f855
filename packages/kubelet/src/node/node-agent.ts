import type { ContainerImage, Node, NodeStatus } from '@coxswain/api';
import type { KubeClient } from '@coxswain/client';
import { type DiskUsage, diskUsage, type MachineFacts } from '@coxswain/linux';
import type { Clock, Logger } from '@coxswain/sdk';
import type { KubeletEvents } from '../events.js';
import type { KubeletOptions } from '../options.js';
import { PROVIDED_IP, extendedResources, newNode, nodeAllocatable, nodeCapacity, nodeStatus, nodeStatusPatch, type PressureFacts } from './node-object.js';
import type { RuntimeMonitor } from './runtime-monitor.js';

export interface NodeAgentDeps {
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: KubeletEvents;
  readonly machine: MachineFacts;
  readonly monitor: RuntimeMonitor;
  readonly pressure: () => PressureFacts;
  readonly images: () => Promise<readonly ContainerImage[]>;
  readonly plegHealthy: () => boolean;
  readonly port: () => number;
  /** The node as the informer has it. */
  readonly node: () => Node | undefined;
  /** The volumes that must not be detached. */
  readonly volumesInUse: () => readonly string[];
}

/** Registers the node and keeps its status true: on change at once, otherwise a heartbeat now and then. */
export class NodeAgent {
  readonly #deps: NodeAgentDeps;
  readonly #options: KubeletOptions;
  #disk: DiskUsage;
  #registered: Node | undefined;
  #lastReport = Number.NEGATIVE_INFINITY;
  #ready: boolean | undefined;
  #nudge = new AbortController();

  constructor(deps: NodeAgentDeps, options: KubeletOptions, disk: DiskUsage) {
    this.#deps = deps;
    this.#options = options;
    this.#disk = disk;
  }

  get allocatable(): Record<string, string> {
    const capacity = nodeCapacity({ options: this.#options, machine: this.#deps.machine, disk: this.#disk });
    return nodeAllocatable({ ...capacity, ...extendedResources((this.#deps.node() ?? this.#registered)?.status) }, this.#options);
  }

  reference(): { readonly name: string; readonly uid: string } | undefined {
    const uid = (this.#deps.node() ?? this.#registered)?.metadata?.uid;
    return uid ? { name: this.#options.nodeName, uid } : undefined;
  }

  /** Something changed: report now. */
  nudge(): void {
    this.#nudge.abort();
  }

  /** What somebody wrote into the capacity is to be had at once. */
  nodeSeen({ status }: Node): void {
    const ours = Object.entries(extendedResources(status));
    const offered = extendedResources({ capacity: status?.allocatable ?? {} });
    if (ours.length !== Object.keys(offered).length || ours.some(([name, amount]) => offered[name] !== amount)) this.nudge();
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#deps;
    for (let failures = 0; !signal.aborted; ) {
      this.#nudge = new AbortController();
      try {
        await this.sync(signal);
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        failures++;
        logger.warn('reporting the node failed; will try again', { err: error });
      }
      const wait = failures > 0 ? Math.min(200 * 2 ** failures, this.#options.nodeStatusUpdateFrequencyMs) : this.#options.nodeStatusUpdateFrequencyMs;
      await clock.sleep(wait, AbortSignal.any([signal, this.#nudge.signal])).catch(() => {});
    }
  }

  /** Registers when needed, then reports what differs. */
  async sync(signal: AbortSignal): Promise<void> {
    const { client, clock, events } = this.#deps;
    const nodes = client.api.nodes();
    const before = this.#deps.node() ?? this.#registered;
    const status = await this.#status(before?.status);
    const ready = status.conditions?.find((c) => c.type === 'Ready')?.status === 'True';
    let current = before;
    if (!current || (this.#registered === undefined && this.#options.registerNode)) {
      current = await this.#register(status, signal);
      if (this.#registered === undefined) events.node('Normal', 'Starting', 'Starting kubelet.');
      this.#registered = current;
    }
    const now = clock.monotonic();
    const patch = nodeStatusPatch(current.status, status, now - this.#lastReport >= this.#options.nodeStatusReportFrequencyMs);
    if (patch) {
      try {
        this.#registered = await nodes.patch(this.#options.nodeName, 'strategic', { status: patch }, { subresource: 'status', signal });
      } catch (error) {
        // The node was deleted: make it again with the next try.
        if ((error as { code?: unknown }).code === 404) this.#registered = undefined;
        throw error;
      }
      this.#lastReport = now;
    }
    if (this.#ready !== ready) {
      if (ready) events.node('Normal', 'NodeReady', `Node ${this.#options.nodeName} status is now: NodeReady`);
      else if (this.#ready !== undefined) events.node('Normal', 'NodeNotReady', `Node ${this.#options.nodeName} status is now: NodeNotReady`);
      this.#ready = ready;
    }
  }

  async #status(before: NodeStatus | undefined): Promise<NodeStatus> {
    const { machine, monitor, pressure, images, plegHealthy, clock, port } = this.#deps;
    this.#disk = await diskUsage(this.#options.rootDir);
    const problems = monitor.problems();
    return nodeStatus(before, {
      options: this.#options,
      machine,
      disk: this.#disk,
      runtime: monitor.facts,
      notReady: problems.length === 0 && !plegHealthy() ? ['PLEG is not healthy: pleg was last seen active 3m0s ago; threshold is 3m0s'] : problems,
      pressure: pressure(),
      images: problems.length === 0 ? await images().catch(() => before?.images ?? []) : (before?.images ?? []),
      port: port(),
      volumesInUse: this.#deps.volumesInUse(),
      now: clock.now(),
    });
  }

  async #register(status: NodeStatus, signal: AbortSignal): Promise<Node> {
    const { client, logger, machine } = this.#deps;
    const nodes = client.api.nodes();
    const wanted = newNode(status, this.#options, machine.architecture);
    const found = await nodes.get(this.#options.nodeName, { signal }).catch((error: unknown) => {
      if ((error as { code?: unknown }).code === 404) return undefined;
      throw error;
    });
    if (!found) {
      if (!this.#options.registerNode) throw new Error(`node ${this.#options.nodeName} is not registered and registerNode is off`);
      logger.info('registering the node', { node: this.#options.nodeName });
      return nodes.create(wanted, { signal });
    }
    // A former life's object: bring the labels we own up to date and leave the rest.
    const labels = Object.fromEntries(Object.entries(wanted.metadata.labels ?? {}).filter(([k, v]) => found.metadata?.labels?.[k] !== v));
    const told = wanted.metadata.annotations?.[PROVIDED_IP];
    const annotations = told === undefined || found.metadata?.annotations?.[PROVIDED_IP] === told ? {} : { [PROVIDED_IP]: told };
    if (Object.keys(labels).length === 0 && Object.keys(annotations).length === 0) return found;
    return nodes.patch(this.#options.nodeName, 'merge', { metadata: { labels, annotations } }, { signal });
  }
}
