import { addQuantities, compareQuantities, type PersistentVolumeClaim, type Pod, type ResourceQuota, type Service } from '@coxswain/api';
import { DEVICES_OF_CLASS } from '@coxswain/apimachinery';
import { isFinished } from '../pods/pod-state.js';

/** What a namespace's quota counts, by object kind. */
export interface QuotaObjects {
  readonly pods: readonly Pod[];
  readonly claims: readonly PersistentVolumeClaim[];
  readonly services: readonly Service[];
  /** Further kinds counted by number: `configmaps`, `count/deployments.apps`. */
  readonly counts: Readonly<Record<string, number>>;
  /** What each ResourceClaim takes, by the names in `hard`. */
  readonly devices?: readonly Readonly<Record<string, string>>[];
}

const sum = (list: readonly string[]): string => list.reduce((a, b) => addQuantities(a, b), '0');

/** requests or limits of one resource over a pod: containers summed, or the largest init container, plus overhead. */
export function podAmount(pod: Pod, kind: 'requests' | 'limits', resource: string): string {
  const own = pod.spec?.resources?.[kind]?.[resource];
  const of = (c: { resources?: { requests?: Record<string, string>; limits?: Record<string, string> }; restartPolicy?: string }) =>
    c.resources?.[kind]?.[resource] ?? '0';
  let total = sum((pod.spec?.containers ?? []).map(of));
  let sidecars = '0';
  let peak = '0';
  for (const c of pod.spec?.initContainers ?? []) {
    const with_ = addQuantities(sidecars, of(c));
    if (greater(with_, peak)) peak = with_;
    if (c.restartPolicy === 'Always') sidecars = with_;
  }
  total = addQuantities(total, sidecars);
  if (greater(peak, total)) total = peak;
  const amount = own ?? total;
  // Overhead raises only limits that are set.
  return kind === 'limits' && !greater(amount, '0') ? amount : addQuantities(amount, pod.spec?.overhead?.[resource] ?? '0');
}

const greater = (a: string, b: string): boolean => compareQuantities(a, b) > 0;

/** A request of nothing, or a limit of it, is none. */
const asks = ({ requests = {}, limits = {} }: { requests?: Record<string, string>; limits?: Record<string, string> } = {}): boolean =>
  [requests, limits].some((list) => ['cpu', 'memory'].some((name) => greater(list[name] ?? '0', '0')));

const isBestEffort = (p: Pod): boolean =>
  !asks(p.spec?.resources) && [...(p.spec?.containers ?? []), ...(p.spec?.initContainers ?? [])].every((c) => !asks(c.resources));
const isTerminatingKind = (p: Pod): boolean => p.spec?.activeDeadlineSeconds !== undefined && p.spec.activeDeadlineSeconds !== null;

function inScope(pod: Pod, scope: string, operator: string, values: readonly string[]): boolean {
  switch (scope) {
    case 'Terminating':
      return isTerminatingKind(pod);
    case 'NotTerminating':
      return !isTerminatingKind(pod);
    case 'BestEffort':
      return isBestEffort(pod);
    case 'NotBestEffort':
      return !isBestEffort(pod);
    case 'CrossNamespacePodAffinity': {
      const { podAffinity: a, podAntiAffinity: anti } = pod.spec?.affinity ?? {};
      const terms = [a, anti].flatMap((x) => [
        ...(x?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
        ...(x?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((p) => p.podAffinityTerm),
      ]);
      return terms.some((t) => (t.namespaces?.length ?? 0) > 0 || t.namespaceSelector !== undefined);
    }
    case 'PriorityClass':
      return selects(pod.spec?.priorityClassName, operator, values);
    default:
      return false;
  }
}

/** What the claim asks for, has, and is being changed to; at least one entry. */
function attributesClasses({ spec, status }: PersistentVolumeClaim): readonly (string | undefined)[] {
  const all = [spec?.volumeAttributesClassName, status?.currentVolumeAttributesClassName, status?.modifyVolumeStatus?.targetVolumeAttributesClassName];
  const named = all.filter((name) => name !== undefined && name !== '');
  return named.length > 0 ? named : [undefined];
}

function selects(name = '', operator: string, values: readonly string[]): boolean {
  if (operator === 'Exists') return name !== '';
  if (operator === 'DoesNotExist') return name === '';
  return operator === 'In' ? values.includes(name) : !values.includes(name);
}

/** How much of each resource in the quota's `hard` is used. Pure. */
export function quotaUsage(quota: ResourceQuota, objects: QuotaObjects): Record<string, string> {
  const scopes = [
    ...(quota.spec?.scopes ?? []).map((s) => ({ scopeName: s, operator: 'Exists', values: [] as string[] })),
    ...(quota.spec?.scopeSelector?.matchExpressions ?? []).map((e) => ({ scopeName: e.scopeName, operator: e.operator, values: e.values ?? [] })),
  ];
  const pods = objects.pods.filter((p) => scopes.every((s) => inScope(p, s.scopeName, s.operator, s.values)));
  // Finished pods use no resources, but the objects are still there.
  const running = pods.filter((p) => !isFinished(p));
  const claims = objects.claims.filter((claim) => {
    const classes = attributesClasses(claim);
    return scopes.every((s) => s.scopeName === 'VolumeAttributesClass' && classes.some((name) => selects(name, s.operator, s.values)));
  });
  const used: Record<string, string> = {};
  for (const name of Object.keys(quota.spec?.hard ?? {})) used[name] = amount(name);
  return used;

  /** Claims have no scopes. */
  function devices(name: string): string[] {
    return scopes.length > 0 ? [] : (objects.devices ?? []).map((usage) => usage[name] ?? '0');
  }

  function amount(name: string): string {
    if (name === 'pods') return String(running.length);
    if (name === 'count/pods') return String(pods.length);
    const limit = /^limits\.(.+)$/.exec(name);
    if (limit) return sum(running.map((p) => podAmount(p, 'limits', limit[1] as string)));
    if (name === 'requests.storage') return sum(claims.map((c) => c.spec?.resources?.requests?.storage ?? '0'));
    const perClass = /^(.+)\.storageclass\.storage\.k8s\.io\/(requests\.storage|persistentvolumeclaims)$/.exec(name);
    if (perClass) {
      const own = claims.filter((c) => c.spec?.storageClassName === perClass[1]);
      return perClass[2] === 'persistentvolumeclaims' ? String(own.length) : sum(own.map((c) => c.spec?.resources?.requests?.storage ?? '0'));
    }
    const request = /^requests\.(.+)$/.exec(name)?.[1] ?? (/^(cpu|memory|ephemeral-storage|hugepages-.+)$/.test(name) ? name : undefined);
    if (request) return sum([...running.map((p) => podAmount(p, 'requests', request)), ...devices(name)]);
    if (name.endsWith(DEVICES_OF_CLASS)) return sum(devices(name));
    if (name === 'persistentvolumeclaims' || name === 'count/persistentvolumeclaims') return String(claims.length);
    if (name === 'services' || name === 'count/services') return String(objects.services.length);
    if (name === 'services.loadbalancers') return String(objects.services.filter((s) => s.spec?.type === 'LoadBalancer').length);
    if (name === 'services.nodeports') {
      const ports = objects.services.filter(
        (s) => s.spec?.type === 'NodePort' || (s.spec?.type === 'LoadBalancer' && s.spec.allocateLoadBalancerNodePorts !== false),
      );
      return String(ports.reduce((n, s) => n + (s.spec?.ports?.length ?? 0), 0));
    }
    return String(objects.counts[name.replace(/^count\//, '')] ?? 0);
  }
}
