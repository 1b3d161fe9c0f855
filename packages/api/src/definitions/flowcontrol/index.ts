import type { FlowSchema, PriorityLevelConfiguration } from '../../generated/types.js';
import { ageColumn, column, nameColumn } from '../../printing/column.js';
import { flowSchemaStrategy, flowStatusStrategy, priorityLevelStrategy } from '../../strategies/flowcontrol.js';
import { defineGroup } from '../define.js';

const queuing = ({ spec }: PriorityLevelConfiguration) => spec?.limited?.limitResponse?.queuing;
const shown = (value: number | undefined): string => (value === undefined ? '<none>' : String(value));

export const flowcontrol = defineGroup('flowcontrol.apiserver.k8s.io', 'v1', 'io.k8s.api.flowcontrol.v1', [
  {
    kind: 'FlowSchema',
    resource: 'flowschemas',
    namespaced: false,
    strategy: flowSchemaStrategy,
    status: flowStatusStrategy,
    columns: [
      nameColumn,
      column<FlowSchema>('PriorityLevel', ({ spec }) => spec?.priorityLevelConfiguration.name || '<none>'),
      column<FlowSchema>('MatchingPrecedence', ({ spec }) => spec?.matchingPrecedence ?? 0),
      column<FlowSchema>('DistinguisherMethod', ({ spec }) => spec?.distinguisherMethod?.type ?? '<none>'),
      ageColumn,
      column<FlowSchema>('MissingPL', ({ status }) => {
        const dangling = (status?.conditions ?? []).find(({ type }) => type === 'Dangling');
        return dangling?.status ?? '?';
      }),
    ],
  },
  {
    kind: 'PriorityLevelConfiguration',
    resource: 'prioritylevelconfigurations',
    namespaced: false,
    strategy: priorityLevelStrategy,
    status: flowStatusStrategy,
    columns: [
      nameColumn,
      column<PriorityLevelConfiguration>('Type', ({ spec }) => spec?.type ?? ''),
      column<PriorityLevelConfiguration>('NominalConcurrencyShares', ({ spec }) =>
        shown(spec?.limited?.nominalConcurrencyShares ?? spec?.exempt?.nominalConcurrencyShares),
      ),
      column<PriorityLevelConfiguration>('Queues', (object) => shown(queuing(object)?.queues)),
      column<PriorityLevelConfiguration>('HandSize', (object) => shown(queuing(object)?.handSize)),
      column<PriorityLevelConfiguration>('QueueLengthLimit', (object) => shown(queuing(object)?.queueLengthLimit)),
      ageColumn,
    ],
  },
]);
