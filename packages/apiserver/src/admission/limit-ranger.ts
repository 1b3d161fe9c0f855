import type { KubeObject } from '@coxswain/api';
import { addQuantities, compareQuantities } from '@coxswain/api';
import type { AdmissionPlugin, AdmissionRequest } from '@coxswain/sdk';
import { isFor, objects, refuse } from './admission-env.js';
import type { AdmissionEnv } from './admission-env.js';
import { AdmissionOrder } from './order.js';

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
      (request.operation === 'CREATE' && isFor(request, '', 'pods')) || (request.operation !== 'DELETE' && isFor(request, '', 'persistentvolumeclaims')),
    admit(request) {
      if (request.resource.resource !== 'pods' || !request.object) return;
      const annotations: string[] = [];
      for (const limit of limitsOf(request)) {
        if (limit.type !== 'Container') continue;
        for (const [list, kind] of [
          ['initContainers', 'init container'],
          ['containers', 'container'],
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
      if (!request.object) return;
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
  const problems: string[] = [];
  for (const [name, min] of Object.entries(limit.min ?? {})) {
    if (requests[name] === undefined) problems.push(`minimum ${name} usage per ${type} is ${min}.  No request is specified`);
    else if (compareQuantities(requests[name], min) < 0) problems.push(`minimum ${name} usage per ${type} is ${min}, but request is ${requests[name]}`);
    if (limits[name] !== undefined && compareQuantities(limits[name], min) < 0)
      problems.push(`minimum ${name} usage per ${type} is ${min}, but limit is ${limits[name]}`);
  }
  for (const [name, max] of Object.entries(limit.max ?? {})) {
    if (type === 'PersistentVolumeClaim') {
      if (requests[name] !== undefined && compareQuantities(requests[name], max) > 0)
        problems.push(`maximum ${name} usage per ${type} is ${max}, but request is ${requests[name]}`);
      continue;
    }
    if (limits[name] === undefined) problems.push(`maximum ${name} usage per ${type} is ${max}.  No limit is specified`);
    else if (compareQuantities(limits[name], max) > 0) problems.push(`maximum ${name} usage per ${type} is ${max}, but limit is ${limits[name]}`);
    if (requests[name] !== undefined && compareQuantities(requests[name], max) > 0)
      problems.push(`maximum ${name} usage per ${type} is ${max}, but request is ${requests[name]}`);
  }
  return problems;
}

/** What the containers ask for together; of init containers, which run one by one, the largest. */
function podTotals(pod: KubeObject): { requests: Amounts; limits: Amounts } {
  const total = (kind: 'requests' | 'limits'): Amounts => {
    const out: Amounts = {};
    for (const container of (pod.spec?.containers ?? []) as Container[]) {
      for (const [name, value] of Object.entries(container.resources?.[kind] ?? {}))
        out[name] = out[name] === undefined ? value : String(addQuantities(out[name], value));
    }
    for (const container of (pod.spec?.initContainers ?? []) as Container[]) {
      for (const [name, value] of Object.entries(container.resources?.[kind] ?? {}))
        if (out[name] === undefined || compareQuantities(value, out[name]) > 0) out[name] = value;
    }
    return out;
  };
  return { requests: total('requests'), limits: total('limits') };
}
