import { featuresToPlace, type Node, type NodeSelectorTerm, type Pod } from '@coxswain/api';
import { podRequest } from '../pod/resources.js';
import { quantityValue } from '../pod/quantity.js';
import type { PodVerdict } from '../status/pod-status.js';
import { nodeFeatures } from './declared-features.js';

export interface AdmissionInput {
  /** Absent while the API server was never reached: then labels and taints are not known. */
  readonly node: Node | undefined;
  readonly allocatable: Readonly<Record<string, string>>;
  /** Admitted pods that are not over. */
  readonly others: readonly Pod[];
  readonly allowedUnsafeSysctls: readonly string[];
}

const SAFE_SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
];

const reject = (reason: string, message: string): PodVerdict => ({
  phase: 'Failed',
  reason,
  message: `Pod was rejected: ${message}`,
  rejected: true,
});

/** Whether a pod may run here: the scheduler's rules once more, because pods come from elsewhere, too, and nodes change. Pure. */
export function admitPod(pod: Pod, input: AdmissionInput): PodVerdict | undefined {
  const os = pod.spec?.os?.name;
  if (os && os !== 'linux') return reject('PodOSNotSupported', `Failed to admit pod as the OS field doesn't match node OS`);
  const lacking = featuresToPlace(pod).filter((name) => !nodeFeatures.includes(name));
  if (lacking.length > 0) return reject('PodFeatureUnsupported', `Pod requires node features that are not available: ${lacking.join(', ')}`);
  for (const { name } of pod.spec?.securityContext?.sysctls ?? []) {
    const dotted = name.replaceAll('/', '.');
    const allowed =
      SAFE_SYSCTLS.includes(dotted) || input.allowedUnsafeSysctls.some((p) => (p.endsWith('*') ? dotted.startsWith(p.slice(0, -1)) : p === dotted));
    if (!allowed) return reject('SysctlForbidden', `forbidden sysctl: "${name}" not allowlisted`);
  }
  return outOfResources(pod, input) ?? (input.node ? misplaced(pod, input.node) : undefined) ?? portsTaken(pod, input.others);
}

function outOfResources(pod: Pod, { allocatable, others }: AdmissionInput): PodVerdict | undefined {
  const names = new Set(['cpu', 'memory', 'ephemeral-storage', ...requestedNames(pod)]);
  const maxPods = quantityValue(allocatable['pods']);
  if (maxPods > 0 && others.length + 1 > maxPods) return shortage('pods', 1, others.length, maxPods);
  for (const name of names) {
    const wanted = podRequest(pod, name);
    // An extended resource the node does not have is the business of whoever placed the pod here.
    if (wanted === 0 || (name.includes('/') && allocatable[name] === undefined)) continue;
    const capacity = quantityValue(allocatable[name]);
    const used = others.reduce((sum, p) => sum + podRequest(p, name), 0);
    if (used + wanted <= capacity + 1e-9) continue;
    const unit = name === 'cpu' ? 1000 : 1;
    return shortage(name, Math.round(wanted * unit), Math.round(used * unit), Math.round(capacity * unit));
  }
  return undefined;
}

/** Why changed resources of a running pod cannot be given. */
export interface ResizePending {
  /** Never on this node, or not while the other pods are here. */
  readonly reason: 'Infeasible' | 'Deferred';
  readonly message: string;
}

/** Whether the node has what a running pod asks for now. Undefined: it has. Pure. */
export function resizePending(pod: Pod, { allocatable, others }: Pick<AdmissionInput, 'allocatable' | 'others'>): ResizePending | undefined {
  let deferred: ResizePending | undefined;
  for (const [name, unit] of [
    ['cpu', 1000],
    ['memory', 1],
  ] as const) {
    const wanted = podRequest(pod, name);
    const capacity = quantityValue(allocatable[name]);
    const used = others.reduce((sum, p) => sum + podRequest(p, name), 0);
    const show = (n: number) => Math.round(n * unit);
    if (wanted > capacity + 1e-9)
      return { reason: 'Infeasible', message: `Node didn't have enough capacity: ${name}, requested: ${show(wanted)}, capacity: ${show(capacity)}` };
    if (used + wanted > capacity + 1e-9)
      deferred ??= {
        reason: 'Deferred',
        message: `Node didn't have enough resource: ${name}, requested: ${show(wanted)}, used: ${show(used)}, capacity: ${show(capacity)}`,
      };
  }
  return deferred;
}

const shortage = (name: string, wanted: number, used: number, capacity: number) =>
  reject(`OutOf${name}`, `Node didn't have enough resource: ${name}, requested: ${wanted}, used: ${used}, capacity: ${capacity}`);

function requestedNames(pod: Pod): string[] {
  return [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].flatMap((c) => Object.keys(c.resources?.requests ?? {}));
}

function misplaced(pod: Pod, node: Node): PodVerdict | undefined {
  const labels = node.metadata?.labels ?? {};
  const fields = { 'metadata.name': node.metadata?.name ?? '' };
  const selector = Object.entries(pod.spec?.nodeSelector ?? {}).every(([k, v]) => labels[k] === v);
  const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (!selector || (terms && !terms.some((t) => matches(t, labels, fields)))) {
    return reject('NodeAffinity', `Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector`);
  }
  const taints = (node.spec?.taints ?? []).filter((t) => t.effect === 'NoExecute');
  const tolerated = (taint: (typeof taints)[number]) =>
    (pod.spec?.tolerations ?? []).some(
      (t) =>
        (!t.effect || t.effect === taint.effect) &&
        (t.key ? t.key === taint.key : t.operator === 'Exists') &&
        (t.operator === 'Exists' || (t.value ?? '') === (taint.value ?? '')),
    );
  const taint = taints.find((t) => !tolerated(t));
  // A pod of a manifest on this very machine runs whatever the node's taints.
  if (taint && !pod.metadata?.annotations?.['kubernetes.io/config.source'])
    return reject('TaintToleration', `Predicate TaintToleration failed: node(s) had untolerated taint(s)`);
  return undefined;
}

function matches(term: NodeSelectorTerm, labels: Readonly<Record<string, string>>, fields: Readonly<Record<string, string>>): boolean {
  const { matchExpressions = [], matchFields = [] } = term;
  if (matchExpressions.length === 0 && matchFields.length === 0) return false;
  return matchExpressions.every((r) => holds(r, labels)) && matchFields.every((r) => holds(r, fields));
}

function holds(r: { readonly key: string; readonly operator: string; readonly values?: readonly string[] }, map: Readonly<Record<string, string>>): boolean {
  const value = map[r.key];
  const values = r.values ?? [];
  switch (r.operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}

function portsTaken(pod: Pod, others: readonly Pod[]): PodVerdict | undefined {
  const taken = others.flatMap(hostPorts);
  const clash = hostPorts(pod).some((a) =>
    taken.some((b) => a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === '0.0.0.0' || b.ip === '0.0.0.0')),
  );
  return clash ? reject('NodePorts', `Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports`) : undefined;
}

function hostPorts(pod: Pod): { port: number; protocol: string; ip: string }[] {
  const spec = pod.spec;
  return [...(spec?.containers ?? []), ...(spec?.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')]
    .flatMap((c) => c.ports ?? [])
    .flatMap((p) => {
      const port = p.hostPort ?? (spec?.hostNetwork ? p.containerPort : 0);
      return port ? [{ port, protocol: p.protocol ?? 'TCP', ip: p.hostIP || '0.0.0.0' }] : [];
    });
}
