import type { PodDisruptionBudget } from '../../generated/types.js';
import { ageColumn, column, nameColumn } from '../../printing/column.js';
import { podDisruptionBudgetStatusStrategy, podDisruptionBudgetStrategy } from '../../strategies/policy.js';
import { defineGroup } from '../define.js';

export const policy = defineGroup('policy', 'v1', 'io.k8s.api.policy.v1', [
  {
    kind: 'PodDisruptionBudget',
    resource: 'poddisruptionbudgets',
    shortNames: ['pdb'],
    strategy: podDisruptionBudgetStrategy,
    status: podDisruptionBudgetStatusStrategy,
    columns: [
      nameColumn,
      column<PodDisruptionBudget>('Min Available', ({ spec }) => String(spec?.minAvailable ?? 'N/A')),
      column<PodDisruptionBudget>('Max Unavailable', ({ spec }) => String(spec?.maxUnavailable ?? 'N/A')),
      column<PodDisruptionBudget>('Allowed Disruptions', ({ status }) => status?.disruptionsAllowed ?? 0, 'integer'),
      ageColumn,
    ],
  },
]);
