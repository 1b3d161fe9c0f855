import { column, nameColumn } from '../../printing/column.js';
import { defineGroup, type Row } from '../define.js';
import { configMaps, limitRanges, resourceQuotas, secrets, serviceAccounts } from './config.js';
import { events } from './events.js';
import { namespaces, nodes } from './nodes.js';
import { podTemplates, pods } from './pods.js';
import { replicationControllers } from './replication-controllers.js';
import { endpoints, services } from './services.js';
import { persistentVolumeClaims, persistentVolumes } from './volumes.js';
import type { ComponentStatus } from '../../generated/types.js';

const bindings: Row = { kind: 'Binding', resource: 'bindings', verbs: ['create'], virtual: 'binding' };

const healthy = ({ conditions = [] }: ComponentStatus) => conditions.find(({ type }) => type === 'Healthy');

const componentStatuses: Row = {
  kind: 'ComponentStatus',
  resource: 'componentstatuses',
  shortNames: ['cs'],
  namespaced: false,
  verbs: ['get', 'list'],
  virtual: 'componentstatus',
  deprecated: 'v1 ComponentStatus is deprecated in v1.19+',
  columns: [
    nameColumn,
    column<ComponentStatus>('Status', (object) => {
      const status = healthy(object)?.status;
      return status === 'True' ? 'Healthy' : status === 'False' ? 'Unhealthy' : 'Unknown';
    }),
    column<ComponentStatus>('Message', (object) => healthy(object)?.message ?? ''),
    column<ComponentStatus>('Error', (object) => healthy(object)?.error ?? ''),
  ],
};

export const core = defineGroup('', 'v1', 'io.k8s.api.core.v1', [
  bindings,
  componentStatuses,
  configMaps,
  endpoints,
  events,
  limitRanges,
  namespaces,
  nodes,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  podTemplates,
  replicationControllers,
  resourceQuotas,
  secrets,
  serviceAccounts,
  services,
]);
