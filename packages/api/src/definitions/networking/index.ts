import type { Ingress, IngressClass, IPAddress, NetworkPolicy, ServiceCIDR } from '../../generated/types.js';
import { ageColumn, column, formatLabelSelector, nameColumn } from '../../printing/column.js';
import {
  ingressClassStrategy,
  ingressStatusStrategy,
  ingressStrategy,
  ipAddressStrategy,
  networkPolicyStrategy,
  serviceCIDRStrategy,
} from '../../strategies/networking.js';
import { defineGroup, type Row } from '../define.js';

const ingresses: Row = {
  kind: 'Ingress',
  resource: 'ingresses',
  shortNames: ['ing'],
  storagePrefix: '/registry/ingress',
  strategy: ingressStrategy,
  status: ingressStatusStrategy,
  columns: [
    nameColumn,
    column<Ingress>('Class', ({ spec, metadata }) => spec?.ingressClassName ?? metadata.annotations?.['kubernetes.io/ingress.class'] ?? '<none>'),
    column<Ingress>('Hosts', ({ spec }) => ingressHosts(spec?.rules ?? [])),
    column<Ingress>('Address', ({ status }) =>
      [...new Set((status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || ''))].filter(Boolean).sort().join(','),
    ),
    column<Ingress>('Ports', ({ spec }) => ((spec?.tls ?? []).length > 0 ? '80, 443' : '80')),
    ageColumn,
  ],
};

function ingressHosts(rules: readonly { readonly host?: string }[]): string {
  const hosts = rules.map(({ host }) => host || '*');
  if (hosts.length === 0) return '*';
  const shown = hosts.slice(0, 3).join(',');
  return hosts.length > 3 ? `${shown} + ${hosts.length - 3} more...` : shown;
}

const ingressClasses: Row = {
  kind: 'IngressClass',
  resource: 'ingressclasses',
  namespaced: false,
  strategy: ingressClassStrategy,
  columns: [
    nameColumn,
    column<IngressClass>('Controller', ({ spec }) => spec?.controller ?? ''),
    column<IngressClass>('Parameters', ({ spec }) => {
      const parameters = spec?.parameters;
      if (!parameters) return '<none>';
      return `${parameters.kind}${parameters.apiGroup ? `.${parameters.apiGroup}` : ''}/${parameters.name}`;
    }),
    ageColumn,
  ],
};

const networkPolicies: Row = {
  kind: 'NetworkPolicy',
  resource: 'networkpolicies',
  shortNames: ['netpol'],
  strategy: networkPolicyStrategy,
  columns: [nameColumn, column<NetworkPolicy>('Pod-Selector', ({ spec }) => formatLabelSelector(spec?.podSelector)), ageColumn],
};

const ipAddresses: Row = {
  kind: 'IPAddress',
  resource: 'ipaddresses',
  shortNames: ['ip'],
  namespaced: false,
  strategy: ipAddressStrategy,
  columns: [
    nameColumn,
    column<IPAddress>('ParentRef', ({ spec }) => {
      const parent = spec?.parentRef;
      if (!parent) return '<none>';
      const type = parent.group ? `${parent.resource}.${parent.group}` : parent.resource;
      return [type, parent.namespace, parent.name].filter(Boolean).join('/');
    }),
  ],
};

const serviceCIDRs: Row = {
  kind: 'ServiceCIDR',
  resource: 'servicecidrs',
  namespaced: false,
  strategy: serviceCIDRStrategy,
  status: {},
  columns: [nameColumn, column<ServiceCIDR>('CIDRs', ({ spec }) => (spec?.cidrs ?? []).join(',')), ageColumn],
};

export const networking = defineGroup('networking.k8s.io', 'v1', 'io.k8s.api.networking.v1', [
  ingressClasses,
  ingresses,
  ipAddresses,
  networkPolicies,
  serviceCIDRs,
]);
