import type { Clock, Random } from '@coxswain/sdk';
import { namespaceHooks } from '../bootstrap/namespace-hooks.js';
import { crdHooks } from '../crd/crd-hooks.js';
import type { ResourceRegistry } from '../registry/resource-registry.js';
import type { ResourceHooks } from '../rest/resource-hooks.js';
import { csrHooks } from './csr-hooks.js';
import { deviceHooks } from './device-hooks.js';
import type { IpRange } from './ip-range.js';
import { ServiceHooks } from './service-hooks.js';
import { ServiceRanges } from './service-ranges.js';

export interface BuiltInHooksOptions {
  readonly registry: ResourceRegistry;
  readonly ranges: readonly IpRange[];
  readonly nodePorts: { readonly from: number; readonly to: number };
  readonly clock: Clock;
  readonly random: Random;
}

const SYSTEM_CLASSES = ['system-cluster-critical', 'system-node-critical'];
const priorityClassHooks: ResourceHooks = {
  keeps: (name) => (SYSTEM_CLASSES.includes(name) ? 'this is a system priority class and cannot be deleted' : undefined),
};

/** Rules of single built-in resources beyond their strategy, by `resource.group`. */
export function builtInHooks({ registry, ranges, nodePorts, clock, random }: BuiltInHooksOptions): ReadonlyMap<string, ResourceHooks> {
  const services = new ServiceHooks({
    ranges: new ServiceRanges(ranges, registry.storage('networking.k8s.io', 'servicecidrs').cache),
    nodePorts,
    addresses: registry.storage('networking.k8s.io', 'ipaddresses').cache,
    services: registry.storage('', 'services').cache,
    clock,
    random,
  });
  const namespaces = registry.storage('', 'namespaces').cache;
  const events: ResourceHooks = { expires: true };
  return new Map<string, ResourceHooks>([
    ['services', services],
    ['namespaces', namespaceHooks],
    ['customresourcedefinitions.apiextensions.k8s.io', crdHooks(clock)],
    ...deviceHooks((namespace) => namespaces.get('', namespace)?.object.metadata.labels),
    ['certificatesigningrequests.certificates.k8s.io', csrHooks],
    ['priorityclasses.scheduling.k8s.io', priorityClassHooks],
    ['events', events],
    ['events.events.k8s.io', events],
  ]);
}
