import type { Endpoints, Service } from '../../generated/types.js';
import { ageColumn, column, formatLabels, nameColumn } from '../../printing/column.js';
import { endpointAddresses } from '../../printing/endpoint-cells.js';
import { externalIPs, servicePorts } from '../../printing/service-cells.js';
import { endpointsStrategy, serviceStatusStrategy, serviceStrategy } from '../../strategies/service.js';
import { proxy } from '../actions.js';
import { type Row, selectable } from '../define.js';

export const services: Row = {
  kind: 'Service',
  resource: 'services',
  shortNames: ['svc'],
  categories: ['all'],
  storagePrefix: '/registry/services/specs',
  strategy: serviceStrategy,
  status: serviceStatusStrategy,
  selectableFields: selectable('spec.clusterIP', 'spec.type'),
  subresources: [proxy('ServiceProxyOptions')],
  columns: [
    nameColumn,
    column<Service>('Type', ({ spec }) => spec?.type ?? ''),
    column<Service>('Cluster-IP', ({ spec }) => spec?.clusterIP || '<none>'),
    column<Service>('External-IP', externalIPs),
    column<Service>('Port(s)', servicePorts),
    ageColumn,
    column<Service>('Selector*', ({ spec }) => formatLabels(spec?.selector)),
  ],
};

export const endpoints: Row = {
  kind: 'Endpoints',
  resource: 'endpoints',
  singular: 'endpoints',
  shortNames: ['ep'],
  storagePrefix: '/registry/services/endpoints',
  deprecated: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  strategy: endpointsStrategy,
  columns: [nameColumn, column<Endpoints>('Endpoints', endpointAddresses), ageColumn],
};
