import type { ConfigMap, LimitRange, ResourceQuota, Secret, ServiceAccount } from '../../generated/types.js';
import { ageColumn, column, createdAtTextColumn, nameColumn } from '../../printing/column.js';
import {
  configMapStrategy,
  limitRangeStrategy,
  resourceQuotaStatusStrategy,
  resourceQuotaStrategy,
  secretStrategy,
  serviceAccountStrategy,
} from '../../strategies/config.js';
import { type Row, selectable } from '../define.js';

export const configMaps: Row = {
  kind: 'ConfigMap',
  resource: 'configmaps',
  shortNames: ['cm'],
  strategy: configMapStrategy,
  columns: [nameColumn, column<ConfigMap>('Data', ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length), ageColumn],
};

export const secrets: Row = {
  kind: 'Secret',
  resource: 'secrets',
  strategy: secretStrategy,
  selectableFields: selectable('type'),
  columns: [nameColumn, column<Secret>('Type', ({ type }) => type ?? ''), column<Secret>('Data', ({ data }) => Object.keys(data ?? {}).length), ageColumn],
};

export const serviceAccounts: Row = {
  kind: 'ServiceAccount',
  resource: 'serviceaccounts',
  shortNames: ['sa'],
  strategy: serviceAccountStrategy,
  subresources: [
    {
      type: 'action',
      name: 'token',
      verbs: ['create'],
      kind: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
      http: ['POST'],
    },
  ],
  columns: [nameColumn, column<ServiceAccount>('Secrets', ({ secrets: owned }) => owned?.length ?? 0), ageColumn],
};

export const resourceQuotas: Row = {
  kind: 'ResourceQuota',
  resource: 'resourcequotas',
  shortNames: ['quota'],
  strategy: resourceQuotaStrategy,
  status: resourceQuotaStatusStrategy,
  columns: [
    nameColumn,
    column<ResourceQuota>('Request', (quota) => quotaCell(quota, false)),
    column<ResourceQuota>('Limit', (quota) => quotaCell(quota, true)),
    ageColumn,
  ],
};

function quotaCell({ status }: ResourceQuota, limits: boolean): string {
  return Object.keys(status?.hard ?? {})
    .filter((name) => name.startsWith('limits.') === limits)
    .sort()
    .map((name) => `${name}: ${status?.used?.[name] ?? '0'}/${status?.hard?.[name]}`)
    .join(', ');
}

export const limitRanges: Row = {
  kind: 'LimitRange',
  resource: 'limitranges',
  shortNames: ['limits'],
  strategy: limitRangeStrategy,
  columns: [nameColumn, column<LimitRange>('Created At', (object) => createdAtTextColumn.cell(object, 0))],
};
