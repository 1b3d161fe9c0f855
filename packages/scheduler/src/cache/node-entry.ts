import type { Node, Pod } from '@coxswain/api';
import type { NodeInfo, ResourceVector } from '@coxswain/sdk';
import { nodeResources, podFacts } from '../framework/pod-resources.js';

const portKey = (ip: string, protocol: string, port: number) => `${ip}/${protocol}/${port}`;

/**
 * One node's running totals. Changes are applied incrementally; `info()` hands out an immutable picture, made again only after
 * a change, so that a scheduling cycle pays for what changed since the last one and not for the size of the cluster.
 */
export class NodeEntry {
  /** Absent: pods of the node are known, the node itself is not (yet, or any more). */
  node: Node | undefined;
  readonly #pods = new Map<string, Pod>();
  #milliCpu = 0;
  #memory = 0;
  #ephemeralStorage = 0;
  #scalar = new Map<string, number>();
  #nzCpu = 0;
  #nzMemory = 0;
  #ports = new Map<string, number>();
  #allocatable: ResourceVector | undefined;
  #allowedPods = 0;
  #images: ReadonlyMap<string, number> = new Map();
  #info: NodeInfo | undefined;

  constructor(readonly name: string) {}

  get podCount(): number {
    return this.#pods.size;
  }

  /** Images of the node, for the cluster-wide count. */
  get images(): ReadonlyMap<string, number> {
    return this.#images;
  }

  setNode(node: Node | undefined): void {
    this.node = node;
    this.#info = undefined;
    if (!node) {
      this.#images = new Map();
      return;
    }
    const { vector, pods } = nodeResources(node.status?.allocatable ?? node.status?.capacity);
    this.#allocatable = vector;
    this.#allowedPods = pods;
    const images = new Map<string, number>();
    for (const image of node.status?.images ?? []) for (const name of image.names ?? []) images.set(name, image.sizeBytes ?? 0);
    this.#images = images;
  }

  addPod(key: string, pod: Pod): void {
    this.removePod(key);
    this.#pods.set(key, pod);
    this.#apply(pod, 1);
  }

  removePod(key: string): boolean {
    const pod = this.#pods.get(key);
    if (!pod) return false;
    this.#pods.delete(key);
    this.#apply(pod, -1);
    return true;
  }

  #apply(pod: Pod, sign: 1 | -1): void {
    this.#info = undefined;
    const f = podFacts(pod);
    this.#milliCpu += sign * f.requests.milliCpu;
    this.#memory += sign * f.requests.memory;
    this.#ephemeralStorage += sign * f.requests.ephemeralStorage;
    this.#nzCpu += sign * f.nonZero.milliCpu;
    this.#nzMemory += sign * f.nonZero.memory;
    if (f.requests.scalar.size > 0) {
      this.#scalar = new Map(this.#scalar);
      for (const [k, v] of f.requests.scalar) this.#scalar.set(k, (this.#scalar.get(k) ?? 0) + sign * v);
    }
    for (const p of f.hostPorts) {
      const key = portKey(p.ip, p.protocol, p.port);
      const n = (this.#ports.get(key) ?? 0) + sign;
      if (n > 0) this.#ports.set(key, n);
      else this.#ports.delete(key);
    }
  }

  info(): NodeInfo | undefined {
    if (this.#info || !this.node) return this.#info;
    const pods = [...this.#pods.values()];
    this.#info = {
      node: this.node,
      pods,
      requested: { milliCpu: this.#milliCpu, memory: this.#memory, ephemeralStorage: this.#ephemeralStorage, scalar: this.#scalar },
      nonZeroRequested: { milliCpu: this.#nzCpu, memory: this.#nzMemory },
      podsWithAffinity: pods.filter((p) => podFacts(p).hasAffinity),
      podsWithRequiredAntiAffinity: pods.filter((p) => podFacts(p).hasRequiredAntiAffinity),
      allocatable: this.#allocatable as ResourceVector,
      allowedPodNumber: this.#allowedPods,
      usedPorts: new Set(this.#ports.keys()),
      images: this.#images,
    };
    return this.#info;
  }
}

/** The node with other pods on it: preemption's and nomination's "what if". */
export function withPods(info: NodeInfo, pods: readonly Pod[]): NodeInfo {
  const entry = new NodeEntry(info.node.metadata.name ?? '');
  entry.setNode(info.node);
  for (const [i, pod] of pods.entries()) entry.addPod(String(i), pod);
  return entry.info() as NodeInfo;
}
