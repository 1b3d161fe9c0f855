import type { MetricsBatch, MetricsPoint, Usage } from './metrics-point.js';

/** A container younger than this has used too little to tell a rate from. */
const FRESH_MS = 10_000;

interface Pair {
  readonly last: MetricsPoint;
  /** The measurement before, of the same run of the container. */
  readonly previous: MetricsPoint | undefined;
}

interface NodeEntry {
  readonly node: Pair | undefined;
  readonly pods: ReadonlyMap<string, ReadonlyMap<string, Pair>>;
}

/**
 * The last two measurements of everything, by node: a rate needs two. Pure; time comes with the measurements. A pod has metrics when
 * all of its containers have.
 */
export class UsageStore {
  readonly #nodes = new Map<string, NodeEntry>();

  constructor(readonly resolutionMs: number) {}

  /** Nodes that can be told about. */
  get size(): number {
    let n = 0;
    for (const { node } of this.#nodes.values()) if (node?.previous) n++;
    return n;
  }

  store(nodeName: string, batch: MetricsBatch): void {
    const before = this.#nodes.get(nodeName);
    const pods = new Map<string, Map<string, Pair>>();
    for (const [pod, containers] of batch.pods) {
      const known = before?.pods.get(pod);
      pods.set(pod, new Map([...containers].map(([name, point]) => [name, this.#container(point, known?.get(name))])));
    }
    this.#nodes.set(nodeName, { node: batch.node && pair(batch.node, before?.node), pods });
  }

  /** Only these nodes exist. */
  keep(nodeNames: ReadonlySet<string>): void {
    for (const name of this.#nodes.keys()) if (!nodeNames.has(name)) this.#nodes.delete(name);
  }

  node(name: string): Usage | undefined {
    const found = this.#nodes.get(name)?.node;
    return found && usageOf(found);
  }

  /** By container; undefined when some container cannot be told about. */
  pod(namespace: string, name: string): ReadonlyMap<string, Usage> | undefined {
    const key = `${namespace}/${name}`;
    for (const { pods } of this.#nodes.values()) {
      const containers = pods.get(key);
      if (!containers) continue;
      const usages = new Map<string, Usage>();
      for (const [container, measured] of containers) {
        const usage = usageOf(measured);
        if (!usage) return undefined;
        usages.set(container, usage);
      }
      return usages.size > 0 ? usages : undefined;
    }
    return undefined;
  }

  #container(point: MetricsPoint, known: Pair | undefined): Pair {
    const age = point.timestamp - point.startTime;
    // Of a container that is younger than a round the beginning is the measurement before: it had used nothing then.
    if (point.startTime > 0 && age >= FRESH_MS && age < this.resolutionMs) {
      return { last: point, previous: { ...point, timestamp: point.startTime, cpuSeconds: 0 } };
    }
    // Started again in between: the counter is another one.
    if (known && point.startTime > 0 && point.startTime >= known.last.timestamp) return { last: point, previous: undefined };
    return pair(point, known);
  }
}

function pair(point: MetricsPoint, known: Pair | undefined): Pair {
  if (!known) return { last: point, previous: undefined };
  if (point.timestamp > known.last.timestamp) return { last: point, previous: known.last };
  // The kubelet has not measured again.
  return { last: point, previous: known.previous && known.previous.timestamp < point.timestamp ? known.previous : undefined };
}

function usageOf({ last, previous }: Pair): Usage | undefined {
  if (!previous || last.cpuSeconds < previous.cpuSeconds) return undefined;
  const windowMs = last.timestamp - previous.timestamp;
  return { timestamp: last.timestamp, windowMs, cpuCores: ((last.cpuSeconds - previous.cpuSeconds) * 1000) / windowMs, memoryBytes: last.memoryBytes };
}
