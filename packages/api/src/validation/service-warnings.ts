import type { Service } from '../generated/types.js';
import { cidrWarnings, ipWarnings } from './ip.js';

const HINTS = 'service.kubernetes.io/topology-aware-hints';

/** What nothing comes of, and addresses that should be written otherwise. */
export function serviceWarnings({ metadata, spec }: Service): string[] {
  if (!spec) return [];
  const { type, clusterIP, clusterIPs = [], externalIPs = [], loadBalancerIP, sessionAffinity } = spec;
  const headless = type === 'ClusterIP' && clusterIP === 'None';
  const warnings =
    metadata.annotations?.[HINTS] === undefined ? [] : [`annotation ${HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead`];
  if (clusterIP && clusterIP !== 'None') warnings.push(...clusterIPs.flatMap((address, index) => ipWarnings(address, `spec.clusterIPs[${index}]`)));
  if (headless) {
    if (loadBalancerIP) warnings.push('spec.loadBalancerIP is ignored for headless services');
    if (externalIPs.length > 0) warnings.push('spec.externalIPs is ignored for headless services');
    if (sessionAffinity !== 'None') warnings.push('spec.SessionAffinity is ignored for headless services');
  }
  warnings.push(...externalIPs.flatMap((address, index) => ipWarnings(address, `spec.externalIPs[${index}]`)));
  if (externalIPs.length > 0 && !headless && type !== 'ExternalName') {
    warnings.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters');
  }
  if (loadBalancerIP) warnings.push(...ipWarnings(loadBalancerIP, 'spec.loadBalancerIP'));
  warnings.push(...(spec.loadBalancerSourceRanges ?? []).flatMap((range, index) => cidrWarnings(range, `spec.loadBalancerSourceRanges[${index}]`)));
  if (type === 'ExternalName' && externalIPs.length > 0) warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  if (type !== 'ExternalName' && spec.externalName) warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  if (spec.trafficDistribution === 'PreferClose') warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  return warnings;
}
