import type { PriorityClass } from '../../generated/types.js';
import { ageColumn, column, nameColumn } from '../../printing/column.js';
import { priorityClassStrategy } from '../../strategies/scheduling.js';
import { defineGroup } from '../define.js';

export const scheduling = defineGroup('scheduling.k8s.io', 'v1', 'io.k8s.api.scheduling.v1', [
  {
    kind: 'PriorityClass',
    resource: 'priorityclasses',
    shortNames: ['pc'],
    namespaced: false,
    strategy: priorityClassStrategy,
    columns: [
      nameColumn,
      column<PriorityClass>('Value', ({ value }) => value ?? 0, 'integer'),
      column<PriorityClass>('Global-Default', ({ globalDefault }) => globalDefault ?? false, 'boolean'),
      ageColumn,
      column<PriorityClass>('PreemptionPolicy', ({ preemptionPolicy }) => preemptionPolicy ?? ''),
    ],
  },
]);
