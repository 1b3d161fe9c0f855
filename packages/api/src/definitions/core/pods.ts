import type { Pod, PodTemplate } from '../../generated/types.js';
import { ageColumn, column, containerColumns, formatLabels, nameColumn } from '../../printing/column.js';
import { summarizePod } from '../../printing/pod-status.js';
import {
  ephemeralContainersStrategy,
  mergeEphemeralContainers,
  mergeResize,
  podStatusStrategy,
  podStrategy,
  podTemplateStrategy,
  resizeStrategy,
} from '../../strategies/pod.js';
import { type Row, selectable } from '../define.js';
import { connect, proxy } from '../actions.js';

const none = (text: string | undefined): string => text || '<none>';

export const pods: Row = {
  kind: 'Pod',
  resource: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  strategy: podStrategy,
  status: podStatusStrategy,
  selectableFields: {
    ...selectable(
      'spec.nodeName',
      'spec.restartPolicy',
      'spec.schedulerName',
      'spec.serviceAccountName',
      'status.phase',
      'status.podIP',
      'status.nominatedNodeName',
    ),
    'spec.hostNetwork': (object) => String(object.spec?.hostNetwork === true),
    // What clients of before v1 call the node.
    'spec.host': (object) => object.spec?.nodeName ?? '',
    // Taken by upstream, which has no value for it: nothing but '' is equal to it.
    'status.podIPs': () => '',
  },
  subresources: [
    connect('attach', 'PodAttachOptions'),
    { type: 'action', name: 'binding', verbs: ['create'], kind: { group: '', version: 'v1', kind: 'Binding' }, http: ['POST'] },
    {
      type: 'part',
      name: 'ephemeralcontainers',
      verbs: ['get', 'patch', 'update'],
      strategy: ephemeralContainersStrategy,
      merge: mergeEphemeralContainers,
    },
    { type: 'action', name: 'eviction', verbs: ['create'], kind: { group: 'policy', version: 'v1', kind: 'Eviction' }, http: ['POST'] },
    connect('exec', 'PodExecOptions'),
    { type: 'action', name: 'log', verbs: ['get'], kind: { group: '', version: 'v1', kind: 'Pod' }, http: ['GET'] },
    connect('portforward', 'PodPortForwardOptions'),
    proxy('PodProxyOptions'),
    { type: 'part', name: 'resize', verbs: ['get', 'patch', 'update'], strategy: resizeStrategy, merge: mergeResize },
  ],
  columns: [
    nameColumn,
    column<Pod>('Ready', (pod, now) => summarizePod(pod, now).ready),
    column<Pod>('Status', (pod, now) => summarizePod(pod, now).status),
    column<Pod>('Restarts', (pod, now) => summarizePod(pod, now).restarts),
    ageColumn,
    column<Pod>('IP*', ({ status }) => none(status?.podIPs?.[0]?.ip ?? status?.podIP)),
    column<Pod>('Node*', ({ spec }) => none(spec?.nodeName)),
    column<Pod>('Nominated Node*', ({ status }) => none(status?.nominatedNodeName)),
    column<Pod>('Readiness Gates*', readinessGates),
  ],
};

function readinessGates({ spec, status }: Pod): string {
  const gates = spec?.readinessGates ?? [];
  if (gates.length === 0) return '<none>';
  const passed = gates.filter(({ conditionType }) =>
    (status?.conditions ?? []).some((condition) => condition.type === conditionType && condition.status === 'True'),
  );
  return `${passed.length}/${gates.length}`;
}

export const podTemplates: Row = {
  kind: 'PodTemplate',
  resource: 'podtemplates',
  strategy: podTemplateStrategy,
  columns: [
    nameColumn,
    ...containerColumns<PodTemplate>(({ template }) => template?.spec?.containers).map((each) => ({ ...each, priority: 0 })),
    column<PodTemplate>('Pod Labels', ({ template }) => formatLabels(template?.metadata?.labels)),
  ],
};
