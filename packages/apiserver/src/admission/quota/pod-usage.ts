import type { KubeObject } from '@coxswain/api';
import { add, larger, merge } from './amounts.js';
import type { Amounts } from './amounts.js';

interface Resources {
  readonly requests?: Amounts;
  readonly limits?: Amounts;
}

interface Container {
  readonly name: string;
  readonly restartPolicy?: string;
  readonly resources?: Resources;
}

export interface PodSpec {
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
  readonly resources?: Resources;
  readonly overhead?: Amounts;
  readonly activeDeadlineSeconds?: number | null;
  readonly priorityClassName?: string;
  readonly affinity?: Readonly<Record<string, Readonly<Record<string, readonly unknown[]>>>>;
}

/** Names every container must give when a quota limits them. */
const REQUIRED = new Set(['cpu', 'memory', 'requests.cpu', 'requests.memory', 'limits.cpu', 'limits.memory']);
/** Requests for these go by their bare name, too. */
const BARE = new Set(['cpu', 'memory', 'ephemeral-storage']);

/** What a pod takes from quotas. A finished one only counts as an object. */
export function podUsage(pod: KubeObject): Amounts {
  const counted = { 'count/pods': '1' };
  const phase = pod.status?.phase as string | undefined;
  if (phase === 'Succeeded' || phase === 'Failed') return counted;
  const spec = (pod.spec ?? {}) as PodSpec;
  return { ...counted, pods: '1', ...named(total(spec, 'requests'), total(spec, 'limits')) };
}

/** The largest of what it needs at any time: init containers run one by one, restartable ones stay. */
function total(spec: PodSpec, kind: keyof Resources): Amounts {
  let running: Amounts = {};
  for (const container of spec.containers ?? []) running = merge(running, container.resources?.[kind] ?? {}, add);
  let staying: Amounts = {};
  let peak: Amounts = {};
  for (const container of spec.initContainers ?? []) {
    const own = container.resources?.[kind] ?? {};
    const now = merge(staying, own, add);
    peak = merge(peak, now, larger);
    if (container.restartPolicy === 'Always') staying = now;
  }
  const containers = merge(merge(running, staying, add), peak, larger);
  const whole = { ...containers, ...spec.resources?.[kind] };
  const overhead = spec.overhead ?? {};
  // Overhead raises only limits that are set.
  const applies = kind === 'requests' ? overhead : Object.fromEntries(Object.entries(overhead).filter(([name]) => whole[name] !== undefined));
  return merge(whole, applies, add);
}

function named(requests: Amounts, limits: Amounts): Amounts {
  const out: Record<string, string> = {};
  for (const [name, amount] of Object.entries(requests)) {
    out[`requests.${name}`] = amount;
    if (BARE.has(name) || name.startsWith('hugepages-')) out[name] = amount;
  }
  for (const [name, amount] of Object.entries(limits)) if (BARE.has(name)) out[`limits.${name}`] = amount;
  return out;
}

/** Why the pod cannot be counted: containers that do not say what they need. */
export function missingAmounts(pod: KubeObject, limited: readonly string[]): string | undefined {
  const spec = (pod.spec ?? {}) as PodSpec;
  const whole = named(spec.resources?.requests ?? {}, spec.resources?.limits ?? {});
  const required = limited.filter((name) => REQUIRED.has(name) && whole[name] === undefined).sort();
  const parts = required.flatMap((name) => {
    const silent = [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
      .filter(({ resources }) => named(resources?.requests ?? {}, resources?.limits ?? {})[name] === undefined)
      .map((container) => container.name);
    return silent.length === 0 ? [] : [`${name} for: ${[...new Set(silent)].sort().join(',')}`];
  });
  return parts.length === 0 ? undefined : `must specify ${parts.join('; ')}`;
}
