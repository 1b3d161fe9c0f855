import type { Endpoints, LimitRange, Namespace, Node, PersistentVolume, PersistentVolumeClaim, Secret, Service } from '../generated/types.js';
import { firstOfList } from './first-of-list.js';
import { isExternallyAccessible } from '../validation/service-traits.js';
import { setDefault, setDefaultText } from './set-default.js';
import { defaultClaimSpec, defaultPersistentVolumeSpec } from './volume.js';

/** Cluster IPs, IP families and node ports are left to the server's allocators. */
export function defaultService({ spec, status }: Service): void {
  if (!spec) return;
  setDefaultText(spec, 'sessionAffinity', 'None');
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === 'ClientIP') {
    spec.sessionAffinityConfig ??= {};
    spec.sessionAffinityConfig.clientIP ??= {};
    setDefault(spec.sessionAffinityConfig.clientIP, 'timeoutSeconds', 10800);
  }
  setDefaultText(spec, 'type', 'ClusterIP');
  for (const port of spec.ports ?? []) {
    setDefaultText(port, 'protocol', 'TCP');
    setDefaultText(port, 'targetPort', port.port);
  }
  const { type } = spec;
  if (isExternallyAccessible(spec)) setDefaultText(spec, 'externalTrafficPolicy', 'Cluster');
  if (type !== 'ExternalName') setDefault(spec, 'internalTrafficPolicy', 'Cluster');
  if (type !== 'LoadBalancer') return;
  setDefault(spec, 'allocateLoadBalancerNodePorts', true);
  for (const ingress of status?.loadBalancer?.ingress ?? []) if (ingress.ip) setDefault(ingress, 'ipMode', 'VIP');
}

export function defaultEndpoints({ subsets = [] }: Endpoints): void {
  for (const port of subsets.flatMap(({ ports = [] }) => ports)) setDefaultText(port, 'protocol', 'TCP');
}

export function defaultNamespace(namespace: Namespace): void {
  const { metadata } = namespace;
  if (metadata.name) metadata.labels = { 'kubernetes.io/metadata.name': metadata.name, ...metadata.labels };
  namespace.status ??= {};
  setDefaultText(namespace.status, 'phase', 'Active');
}

export function defaultNode({ spec, status }: Node): void {
  const cidrs = firstOfList(spec?.podCIDR, spec?.podCIDRs, String, String);
  if (spec && cidrs) Object.assign(spec, { podCIDR: cidrs[0], podCIDRs: cidrs });
  if (status?.capacity) setDefault(status, 'allocatable', { ...status.capacity });
}

export function defaultSecret(secret: Secret): void {
  setDefaultText(secret, 'type', 'Opaque');
}

export function defaultVolumeObject(volume: PersistentVolume): void {
  volume.status ??= {};
  setDefaultText(volume.status, 'phase', 'Pending');
  if (volume.spec) defaultPersistentVolumeSpec(volume.spec);
}

export function defaultClaim(claim: PersistentVolumeClaim): void {
  claim.status ??= {};
  setDefaultText(claim.status, 'phase', 'Pending');
  defaultClaimSpec(claim.spec);
}

/** Container limits: the default follows the maximum, the default request follows the default, else the minimum. */
export function defaultLimitRange({ spec }: LimitRange): void {
  for (const item of spec?.limits ?? []) {
    if (item.type !== 'Container') continue;
    item.default = { ...item.max, ...item.default };
    item.defaultRequest = { ...item.min, ...item.default, ...item.defaultRequest };
  }
}
