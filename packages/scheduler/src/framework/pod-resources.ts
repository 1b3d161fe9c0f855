import type { Container, Pod, ResourceRequirements } from '@coxswain/api';
import type { ResourceVector } from '@coxswain/sdk';
import { milliOf, unitsOf } from './quantity.js';

/** What a container that requests nothing counts as when nodes are scored: 100m CPU, 200 MB (upstream's non-zero defaults). */
const DEFAULT_MILLI_CPU = 100;
const DEFAULT_MEMORY = 200 * 1024 * 1024;

/** `scalar` is `NONE` until there is something in it: most pods ask for no such thing, and every pod is summed up. */
type Sums = { milliCpu: number; memory: number; ephemeralStorage: number; scalar: ReadonlyMap<string, number>; nzCpu: number; nzMemory: number };

export interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

/** What the scheduler asks of a pod over and over, computed once per pod object. */
export interface PodFacts {
  readonly requests: ResourceVector;
  readonly nonZero: { readonly milliCpu: number; readonly memory: number };
  readonly hostPorts: readonly HostPort[];
  readonly hasAffinity: boolean;
  readonly hasRequiredAntiAffinity: boolean;
  readonly priority: number;
}

const facts = new WeakMap<Pod, PodFacts>();
/** A cycle asks about one pod a thousand times. */
let last: { readonly pod: Pod; readonly facts: PodFacts } | undefined;

/** Pod objects are never changed in place, so the object is the key. */
export function podFacts(pod: Pod): PodFacts {
  if (last?.pod === pod) return last.facts;
  let f = facts.get(pod);
  if (!f) facts.set(pod, (f = compute(pod)));
  last = { pod, facts: f };
  return f;
}

/** The same pod on a node; nothing of what was computed changes. */
export function withNodeName(pod: Pod, nodeName: string): Pod {
  const copy = { ...pod, spec: { ...pod.spec, nodeName } } as Pod;
  facts.set(copy, podFacts(pod));
  return copy;
}

function compute(pod: Pod): PodFacts {
  const spec = pod.spec;
  const total = sums();
  const hostPorts: HostPort[] = [];
  for (const c of spec?.containers ?? []) {
    addInto(total, requestsOf(c));
    for (const p of c.ports ?? []) {
      if (p.hostPort) hostPorts.push({ ip: p.hostIP || '0.0.0.0', protocol: p.protocol ?? 'TCP', port: p.hostPort });
    }
  }
  // Sidecars (restartable init containers) stay; an ordinary init container runs beside those started before it.
  const sidecars = sums();
  const peak = sums();
  for (const c of spec?.initContainers ?? []) {
    const own = requestsOf(c);
    if (c.restartPolicy === 'Always') {
      addInto(total, own);
      addInto(sidecars, own);
      maxInto(peak, sidecars);
      for (const p of c.ports ?? []) {
        if (p.hostPort) hostPorts.push({ ip: p.hostIP || '0.0.0.0', protocol: p.protocol ?? 'TCP', port: p.hostPort });
      }
    } else {
      const now = sums();
      addInto(now, sidecars);
      addInto(now, own);
      maxInto(peak, now);
    }
  }
  maxInto(total, peak);
  // Pod-level requests, where given, replace what the containers add up to.
  for (const [name, q] of Object.entries(spec?.resources?.requests ?? {})) {
    if (name === 'cpu') total.milliCpu = total.nzCpu = milliOf(q);
    else if (name === 'memory') total.memory = total.nzMemory = unitsOf(q);
    else setScalar(total, name, unitsOf(q));
  }
  const overhead = sums();
  addQuantities(overhead, spec?.overhead);
  addInto(total, overhead);
  const affinity = spec?.affinity;
  const anti = affinity?.podAntiAffinity;
  return {
    requests: { milliCpu: total.milliCpu, memory: total.memory, ephemeralStorage: total.ephemeralStorage, scalar: total.scalar },
    nonZero: { milliCpu: total.nzCpu, memory: total.nzMemory },
    hostPorts,
    hasAffinity: Boolean(affinity?.podAffinity ?? anti),
    hasRequiredAntiAffinity: (anti?.requiredDuringSchedulingIgnoredDuringExecution?.length ?? 0) > 0,
    priority: spec?.priority ?? 0,
  };
}

const NONE: ReadonlyMap<string, number> = new Map();

const sums = (): Sums => ({ milliCpu: 0, memory: 0, ephemeralStorage: 0, scalar: NONE, nzCpu: 0, nzMemory: 0 });

function setScalar(s: Sums, name: string, value: number): void {
  if (s.scalar === NONE) s.scalar = new Map();
  (s.scalar as Map<string, number>).set(name, value);
}

function requestsOf(container: Container): Sums {
  const s = sums();
  const requests: ResourceRequirements['requests'] = container.resources?.requests;
  addQuantities(s, requests);
  if (requests?.cpu === undefined) s.nzCpu = DEFAULT_MILLI_CPU;
  if (requests?.memory === undefined) s.nzMemory = DEFAULT_MEMORY;
  return s;
}

function addQuantities(s: Sums, quantities: Record<string, string> | undefined): void {
  if (!quantities) return;
  for (const name in quantities) {
    const q = quantities[name] as string;
    switch (name) {
      case 'cpu': {
        const v = milliOf(q);
        s.milliCpu += v;
        s.nzCpu += v;
        break;
      }
      case 'memory': {
        const v = unitsOf(q);
        s.memory += v;
        s.nzMemory += v;
        break;
      }
      case 'ephemeral-storage':
        s.ephemeralStorage += unitsOf(q);
        break;
      default:
        setScalar(s, name, (s.scalar.get(name) ?? 0) + unitsOf(q));
    }
  }
}

function addInto(to: Sums, from: Sums): void {
  to.milliCpu += from.milliCpu;
  to.memory += from.memory;
  to.ephemeralStorage += from.ephemeralStorage;
  to.nzCpu += from.nzCpu;
  to.nzMemory += from.nzMemory;
  for (const [k, v] of from.scalar) setScalar(to, k, (to.scalar.get(k) ?? 0) + v);
}

function maxInto(to: Sums, from: Sums): void {
  to.milliCpu = Math.max(to.milliCpu, from.milliCpu);
  to.memory = Math.max(to.memory, from.memory);
  to.ephemeralStorage = Math.max(to.ephemeralStorage, from.ephemeralStorage);
  to.nzCpu = Math.max(to.nzCpu, from.nzCpu);
  to.nzMemory = Math.max(to.nzMemory, from.nzMemory);
  for (const [k, v] of from.scalar) setScalar(to, k, Math.max(to.scalar.get(k) ?? 0, v));
}

/** A node's `status.allocatable` (or `capacity`) as numbers, and how many pods it takes. */
export function nodeResources(quantities: Record<string, string> | undefined): { readonly vector: ResourceVector; readonly pods: number } {
  const s = sums();
  let pods = 0;
  for (const [name, q] of Object.entries(quantities ?? {})) {
    if (name === 'pods') pods = unitsOf(q);
    else addQuantities(s, { [name]: q });
  }
  return { vector: { milliCpu: s.milliCpu, memory: s.memory, ephemeralStorage: s.ephemeralStorage, scalar: s.scalar }, pods };
}
