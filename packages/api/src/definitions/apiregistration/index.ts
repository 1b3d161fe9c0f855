import type { APIService } from '../../generated/types.js';
import { ageColumn, column, nameColumn } from '../../printing/column.js';
import { apiServiceStatusStrategy, apiServiceStrategy } from '../../strategies/apiregistration.js';
import { defineGroup } from '../define.js';

function available({ status }: APIService): string {
  const condition = (status?.conditions ?? []).find(({ type }) => type === 'Available');
  if (!condition) return 'Unknown';
  return condition.status === 'True' || !condition.reason ? condition.status : `${condition.status} (${condition.reason})`;
}

export const apiregistration = defineGroup('apiregistration.k8s.io', 'v1', 'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1', [
  {
    kind: 'APIService',
    resource: 'apiservices',
    categories: ['api-extensions'],
    namespaced: false,
    storagePrefix: '/registry/apiregistration.k8s.io/apiservices',
    strategy: apiServiceStrategy,
    status: apiServiceStatusStrategy,
    columns: [
      nameColumn,
      column<APIService>('Service', ({ spec }) => (spec?.service ? `${spec.service.namespace}/${spec.service.name}` : 'Local')),
      column<APIService>('Available', available),
      ageColumn,
    ],
  },
]);
