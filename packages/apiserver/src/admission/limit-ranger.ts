import type { KubeObject } from '@coxswain/api';
import { compareQuantities, quantityMilliValue } from '@coxswain/api';
import type { AdmissionPlugin, AdmissionRequest } from '@coxswain/sdk';
import { isFor, objects, refuse } from './admission-env.js';
import type { AdmissionEnv } from './admission-env.js';
import { AdmissionOrder } from './order.js';
import { add, larger, merge } from './quota/amounts.js';

type Amounts = Record<string, string>;

interface LimitItem {
  readonly type: string;
  readonly max?: Amounts;
  readonly min?: Amounts;
  readonly default?: Amounts;
  readonly defaultRequest?: Amounts;
  readonly maxLimitRequestRatio?: Amounts;
}

interface Container {
  readonly name: string;
  readonly restartPolicy?: string;
  resources?: { limits?: Amounts; requests?: Amounts };
}

/** Defaults and bounds of a namespace's LimitRanges. */
export function limitRanger(env: AdmissionEnv): AdmissionPlugin {
  const limitsOf = (request: AdmissionRequest): LimitItem[] =>
    [...objects(env, '', 'limitranges', request.namespace)].flatMap((range) => (range.spec?.limits ?? []) as LimitItem[]);
  return {
    name: 'LimitRanger',
    order: AdmissionOrder.limitRanger,
    handles: (request) =>
      (request.operation === 'CREATE' && isFor(request, '', 'pods')) ||
      (request.operation === 'UPDATE' && isFor(request, '', 'pods', 'resize')) ||
      (request.operation !== 'DELETE' && isFor(request, '', 'persistentvolumeclaims')),
    admit(request) {
      if (request.resource.resource !== 'pods' || request.operation !== 'CREATE' || !request.object) return;
      const annotations: string[] = [];
      for (const limit of limitsOf(request)) {
        if (limit.type !== 'Container') continue;
        for (const [list, kind] of [
          ['containers', 'container'],
          ['initContainers', 'init container'],
        ] as const) {
          for (const container of (request.object.spec?.[list] ?? []) as Container[]) fillDefaults(container, limit, kind, annotations);
        }
      }
      if (annotations.length > 0) {
        request.object.metadata.annotations = {
          ...request.object.metadata.annotations,
          'kubernetes.io/limit-ranger': `LimitRanger plugin set: ${annotations.join('; ')}`,
        };
      }
    },
    validate(request) {
      // What is on its way out may let go of its finalizers, whatever it has.
      if (!request.object || (request.operation === 'UPDATE' && request.object.metadata.deletionTimestamp)) return;
      const problems: string[] = [];
      for (const limit of limitsOf(request)) problems.push(...violations(request.object, limit, request.resource.resource));
      if (problems.length > 0) refuse(request, problems.length === 1 ? (problems[0] as string) : `[${problems.join(', ')}]`);
    },
  };
}

function fillDefaults(container: Container, limit: LimitItem, kind: string, annotations: string[]): void {
  const set = (into: 'limits' | 'requests', values: Amounts | undefined): string[] => {
    const names: string[] = [];
    for (const [name, value] of Object.entries(values ?? {})) {
      container.resources ??= {};
      const list = (container.resources[into] ??= {});
      if (list[name] !== undefined) continue;
      list[name] = value;
      names.push(name);
    }
    return names.sort();
  };
  const requests = set('requests', limit.defaultRequest);
  const limits = set('limits', limit.default);
  if (requests.length > 0) annotations.push(`${requests.join(', ')} request for ${kind} ${container.name}`);
  if (limits.length > 0) annotations.push(`${limits.join(', ')} limit for ${kind} ${container.name}`);
}

function violations(object: KubeObject, limit: LimitItem, resource: string): string[] {
  if (resource === 'persistentvolumeclaims') {
    return limit.type === 'PersistentVolumeClaim' ? bounds('PersistentVolumeClaim', { requests: object.spec?.resources?.requests }, limit) : [];
  }
  const containers = [...(object.spec?.initContainers ?? []), ...(object.spec?.containers ?? [])] as Container[];
  if (limit.type === 'Container') return containers.flatMap((container) => bounds('Container', container.resources ?? {}, limit));
  return limit.type === 'Pod' ? bounds('Pod', podTotals(object), limit) : [];
}

function bounds(type: string, { requests = {}, limits = {} }: { requests?: Amounts | undefined; limits?: Amounts | undefined }, limit: LimitItem): string[] {
  const isClaim = type === 'PersistentVolumeClaim';
  const below = (amount: string | undefined, bound: string): boolean => amount !== undefined && compareQuantities(amount, bound) < 0;
  const above = (amount: string | undefined, bound: string): boolean => amount !== undefined && compareQuantities(amount, bound) > 0;
  const problems: string[] = [];
  for (const [name, min] of Object.entries(limit.min ?? {})) {
    const least = `minimum ${name} usage per ${type} is ${min}`;
    if (requests[name] === undefined) problems.push(`${least}.  No request is specified`);
    else if (below(limits[name], min)) problems.push(`${least}, but limit is ${limits[name]}`);
    else if (below(requests[name], min)) problems.push(`${least}, but request is ${requests[name]}`);
  }
  for (const [name, max] of Object.entries(limit.max ?? {})) {
    const most = `maximum ${name} usage per ${type} is ${max}`;
    if (isClaim && requests[name] === undefined) problems.push(`${most}.  No request is specified`);
    else if (!isClaim && limits[name] === undefined) problems.push(`${most}.  No limit is specified`);
    else if (above(limits[name], max)) problems.push(`${most}, but limit is ${limits[name]}`);
    else if (above(requests[name], max)) problems.push(`${most}, but request is ${requests[name]}`);
  }
  for (const [name, most] of Object.entries(limit.maxLimitRequestRatio ?? {})) {
    const problem = ratioProblem(type, name, most, requests[name], limits[name]);
    if (problem !== undefined) problems.push(problem);
  }
  return problems;
}

/** A limit may be so many times the request. */
function ratioProblem(type: string, name: string, most: string, request: string | undefined, limit: string | undefined): string | undefined {
  const rule = `${name} max limit to request ratio per ${type} is ${most}`;
  if (request === undefined || quantityMilliValue(request) === 0) return `${rule}, but no request is specified or request is 0`;
  if (limit === undefined || quantityMilliValue(limit) === 0) return `${rule}, but no limit is specified or limit is 0`;
  const ratio = quantityMilliValue(limit) / quantityMilliValue(request);
  return ratio > quantityMilliValue(most) / 1000 ? `${rule}, but provided ratio is ${ratio.toFixed(6)}` : undefined;
}

/** What the pod asks for: its containers together, or the most that it takes to initialize it; or what it says of itself. */
function podTotals(pod: KubeObject): { requests: Amounts; limits: Amounts } {
  const spec = (pod.spec ?? {}) as { containers?: Container[]; initContainers?: Container[]; resources?: Container['resources'] };
  const total = (kind: 'requests' | 'limits'): Amounts => {
    let running: Amounts = {};
    for (const container of spec.containers ?? []) running = { ...merge(running, container.resources?.[kind] ?? {}, add) };
    let staying: Amounts = {};
    let peak: Amounts = {};
    for (const container of spec.initContainers ?? []) {
      const now = { ...merge(staying, container.resources?.[kind] ?? {}, add) };
      peak = { ...merge(peak, now, larger) };
      if (container.restartPolicy === 'Always') staying = now;
    }
    return { ...merge(merge(running, staying, add), peak, larger), ...spec.resources?.[kind] };
  };
  return { requests: total('requests'), limits: total('limits') };
}
