import type { DeviceClass, KubeObject, Pod, ResourceClaim } from '@coxswain/api';
import { claimQuotaUsage, countsForClaim, podOfExtendedClaim } from '@coxswain/apimachinery';
import { lookup, objects } from '../admission-env.js';
import type { AdmissionEnv } from '../admission-env.js';
import { larger } from './amounts.js';
import type { Amounts } from './amounts.js';
import { podUsage } from './pod-usage.js';

/** Kinds that quotas also know by their bare names. */
const BARE_COUNTS = new Set(['configmaps', 'secrets', 'replicationcontrollers', 'resourcequotas']);

/** What one object takes, by the names quotas limit it under. */
export function usageOf(env: AdmissionEnv, group: string, resource: string, object: KubeObject): Amounts {
  if (group === 'resource.k8s.io' && resource === 'resourceclaims') return deviceUsage(env, object as ResourceClaim);
  if (group !== '') return { [`count/${resource}.${group}`]: '1' };
  switch (resource) {
    case 'pods':
      return podUsage(object);
    case 'services':
      return serviceUsage(object);
    case 'persistentvolumeclaims':
      return claimUsage(object);
    default:
      return { [`count/${resource}`]: '1', ...(BARE_COUNTS.has(resource) ? { [resource]: '1' } : {}) };
  }
}

function deviceUsage(env: AdmissionEnv, claim: ResourceClaim): Amounts {
  const owner = podOfExtendedClaim(claim);
  const pod = owner ? (lookup(env, '', 'pods', claim.metadata.namespace ?? '', owner) as Pod | undefined) : undefined;
  const ofPod = countsForClaim(pod, claim) ? podUsage(pod as KubeObject) : undefined;
  const classes = objects(env, 'resource.k8s.io', 'deviceclasses') as Iterable<KubeObject> as Iterable<DeviceClass>;
  return claimQuotaUsage(claim, { classes, ofPod: ofPod && ((name) => ofPod[name]) });
}

function serviceUsage({ spec }: KubeObject): Amounts {
  const ports = (spec?.ports ?? []) as { nodePort?: number }[];
  const out: Record<string, string> = { 'count/services': '1', services: '1', 'services.nodeports': '0', 'services.loadbalancers': '0' };
  if (spec?.type === 'NodePort') out['services.nodeports'] = String(ports.length);
  if (spec?.type === 'LoadBalancer') {
    out['services.loadbalancers'] = '1';
    const open = spec.allocateLoadBalancerNodePorts === false ? ports.filter(({ nodePort }) => (nodePort ?? 0) !== 0) : ports;
    out['services.nodeports'] = String(open.length);
  }
  return out;
}

function claimUsage({ spec, status, metadata }: KubeObject): Amounts {
  const asked = (spec?.resources?.requests?.storage ?? '0') as string;
  const allocated = status?.allocatedResources?.storage as string | undefined;
  // A claim that was to grow and was taken back still holds what has been allocated.
  const storage = larger(asked, allocated);
  const out: Record<string, string> = { 'count/persistentvolumeclaims': '1', persistentvolumeclaims: '1', 'requests.storage': storage };
  const name = (metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec?.storageClassName) as string | undefined;
  if (name) {
    out[`${name}.storageclass.storage.k8s.io/requests.storage`] = storage;
    out[`${name}.storageclass.storage.k8s.io/persistentvolumeclaims`] = '1';
  }
  return out;
}
