import type { ControllerRevision, DaemonSet, KubeObject, Node, NodeSelectorTerm, Pod, Toleration } from '@coxswain/api';
import { labelRequirement, LabelSelector, type SelectorOperator } from '@coxswain/apimachinery';
import { podFromTemplate } from '../pods/pod-from-template.js';
import { tolerates } from '../node/tolerations.js';
import { REVISION_LABEL, revisionHash, templateOf } from '../revisions/controller-revisions.js';

export const DAEMON_SET = { apiVersion: 'apps/v1', kind: 'DaemonSet' } as const;
const GENERATION = 'pod-template-generation';
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation';

/** What every daemon puts up with: it is often what makes the node well again. */
function daemonTolerations(hostNetwork: boolean): Toleration[] {
  const exists = (name: string, effect: string): Toleration => ({ key: `node.kubernetes.io/${name}`, operator: 'Exists', effect });
  return [
    exists('not-ready', 'NoExecute'),
    exists('unreachable', 'NoExecute'),
    exists('disk-pressure', 'NoSchedule'),
    exists('memory-pressure', 'NoSchedule'),
    exists('pid-pressure', 'NoSchedule'),
    exists('unschedulable', 'NoSchedule'),
    ...(hostNetwork ? [exists('network-unavailable', 'NoSchedule')] : []),
  ];
}

/** The daemon's pod for one node: the scheduler binds it, but has no choice. */
export function daemonPod(set: DaemonSet, revision: ControllerRevision, node: string): Pod {
  const pod = podFromTemplate(templateOf(revision), set as KubeObject, DAEMON_SET);
  const generation = set.metadata.annotations?.[TEMPLATE_GENERATION];
  pod.metadata.labels = { ...pod.metadata.labels, [REVISION_LABEL]: revisionHash(revision), ...(generation && { [GENERATION]: generation }) };
  const spec = pod.spec as NonNullable<Pod['spec']>;
  const have = spec.tolerations ?? [];
  spec.tolerations = [
    ...have,
    ...daemonTolerations(Boolean(spec.hostNetwork)).filter((t) => !have.some((h) => h.key === t.key && h.effect === t.effect && h.operator === t.operator)),
  ];
  const pin = { key: 'metadata.name', operator: 'In', values: [node] };
  const terms = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  spec.affinity = {
    ...spec.affinity,
    nodeAffinity: {
      ...spec.affinity?.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: terms && terms.length > 0 ? terms.map((t) => ({ ...t, matchFields: [pin] })) : [{ matchFields: [pin] }],
      },
    },
  };
  return pod;
}

/** The node a daemon pod is for: where it runs, or where it is pinned to. */
export function targetNode(pod: Pod): string | undefined {
  if (pod.spec?.nodeName) return pod.spec.nodeName;
  for (const t of pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? []) {
    const pin = t.matchFields?.find((f) => f.key === 'metadata.name' && f.operator === 'In');
    if (pin?.values?.length === 1) return pin.values[0];
  }
  return undefined;
}

const OPERATORS: Readonly<Record<string, SelectorOperator>> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!', Gt: 'gt', Lt: 'lt' };

function termMatches(term: NodeSelectorTerm, node: Node): boolean {
  const labels = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (labels.length + fields.length === 0) return false;
  const selector = (list: typeof labels) => new LabelSelector(list.map((e) => labelRequirement(e.key, OPERATORS[e.operator] ?? 'exists', e.values ?? [])));
  return selector(labels).matches(node.metadata.labels) && selector(fields).matches({ 'metadata.name': node.metadata.name ?? '' });
}

/** Whether the daemon belongs on the node, and whether one that is there may stay. */
export function daemonFits(set: DaemonSet, node: Node): { readonly shouldRun: boolean; readonly mayStay: boolean } {
  const no = { shouldRun: false, mayStay: false };
  const spec = set.spec?.template?.spec;
  if (spec?.nodeName && spec.nodeName !== node.metadata.name) return no;
  for (const [k, v] of Object.entries(spec?.nodeSelector ?? {})) if (node.metadata.labels?.[k] !== v) return no;
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (required && !required.nodeSelectorTerms.some((t) => termMatches(t, node))) return no;
  const tolerations = [...(spec?.tolerations ?? []), ...daemonTolerations(Boolean(spec?.hostNetwork))];
  const untolerated = (node.spec?.taints ?? []).filter((t) => t.effect !== 'PreferNoSchedule' && !tolerations.some((x) => tolerates(x, t)));
  if (untolerated.length === 0) return { shouldRun: true, mayStay: true };
  return { shouldRun: false, mayStay: !untolerated.some((t) => t.effect === 'NoExecute') };
}

/** Whether the pod is of the present template. */
export const isUpdated = (pod: Pod, hash: string): boolean => pod.metadata.labels?.[REVISION_LABEL] === hash;
