import type { RuntimeClass } from '../../generated/types.js';
import { ageColumn, column, nameColumn } from '../../printing/column.js';
import { runtimeClassStrategy } from '../../strategies/scheduling.js';
import { defineGroup } from '../define.js';

export const node = defineGroup('node.k8s.io', 'v1', 'io.k8s.api.node.v1', [
  {
    kind: 'RuntimeClass',
    resource: 'runtimeclasses',
    namespaced: false,
    strategy: runtimeClassStrategy,
    columns: [nameColumn, column<RuntimeClass>('Handler', ({ handler }) => handler), ageColumn],
  },
]);
