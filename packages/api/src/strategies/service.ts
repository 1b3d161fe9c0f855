import type { ResourceStrategy } from '../definition.js';
import { defaultEndpoints, defaultService } from '../defaults/core.js';
import type { Endpoints, Service } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { ipWarnings } from '../validation/ip.js';
import { nameIsDNS1035Label } from '../validation/names.js';
import { endpointsWarnings, validateEndpoints } from '../validation/endpoints.js';
import { validateServiceStatus } from '../validation/load-balancer-status.js';
import { validateServiceUpdate } from '../validation/service-addresses.js';
import { needsHealthCheck as needsHealthPort } from '../validation/service-traits.js';
import { serviceWarnings } from '../validation/service-warnings.js';
import { validateService } from '../validation/service.js';
import type { StrategyParts } from './lifecycle.js';

/** Addresses and ports are the server's to allocate; here only what needs no allocator. */
export const serviceStrategy: StrategyParts = {
  default: (object) => defaultService(object as Service),
  prepareForCreate(object) {
    const service = object as Service;
    service.status = { loadBalancer: {} };
    const { spec } = service;
    // Who names one address by the field of old means the first of them.
    if (spec?.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP];
  },
  prepareForUpdate(object, old) {
    const service = object as Service;
    const before = old as Service;
    patchAllocated(service, before);
    dropUnusedAllocations(service, before);
  },
  validate: (object, old) => validateService(object as Service, old as Service | undefined),
  validateUpdate: (object, old) => validateServiceUpdate(object as Service, old as Service),
  warnings: (object) => serviceWarnings(object as Service),
  validateName: nameIsDNS1035Label,
  allowCreateOnUpdate: true,
};

/** A client that does not send back what was allocated keeps it (as long as the type still has it). */
function patchAllocated({ spec }: Service, { spec: old }: Service): void {
  if (!spec || !old) return;
  if (spec.type !== 'ExternalName' && old.type !== 'ExternalName') {
    if (!spec.clusterIP) {
      if (old.clusterIP) spec.clusterIP = old.clusterIP;
      if (!spec.clusterIPs?.length && old.clusterIPs) spec.clusterIPs = [...old.clusterIPs];
    }
    if (!spec.clusterIPs?.length && spec.clusterIP === old.clusterIP && old.clusterIPs) spec.clusterIPs = [...old.clusterIPs];
    // Who names another address by `clusterIP` alone means the first of `clusterIPs`; the validation says that it may not change.
    else if (spec.clusterIP && spec.clusterIP !== old.clusterIP && deepEqual(spec.clusterIPs, old.clusterIPs) && old.clusterIPs) {
      spec.clusterIPs = [spec.clusterIP, ...old.clusterIPs.slice(1)];
    }
    if (!spec.ipFamilyPolicy && old.ipFamilyPolicy) spec.ipFamilyPolicy = old.ipFamilyPolicy;
    if (!spec.ipFamilies?.length && old.ipFamilies && spec.ipFamilyPolicy === old.ipFamilyPolicy) {
      spec.ipFamilies = [...old.ipFamilies];
    }
  }
  if (hasNodePorts(spec.type) && hasNodePorts(old.type)) {
    const given = new Set((spec.ports ?? []).map(({ nodePort }) => nodePort).filter(Boolean));
    for (const port of spec.ports ?? []) {
      if (port.nodePort) continue;
      const same = old.ports?.find((each) => each.port === port.port && (each.protocol ?? 'TCP') === (port.protocol ?? 'TCP'));
      if (same?.nodePort && !given.has(same.nodePort)) port.nodePort = same.nodePort;
    }
  }
  if (needsHealthPort(spec) && needsHealthPort(old) && !spec.healthCheckNodePort && old.healthCheckNodePort) {
    spec.healthCheckNodePort = old.healthCheckNodePort;
  }
}

/** A change of type drops what the new type has no use for, unless the client set it anew. */
function dropUnusedAllocations({ spec }: Service, { spec: old }: Service): void {
  if (!spec || !old) return;
  if (old.type !== 'ExternalName' && spec.type === 'ExternalName') {
    for (const key of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'internalTrafficPolicy'] as const) {
      if (JSON.stringify(spec[key]) === JSON.stringify(old[key])) delete spec[key];
    }
  }
  if (hasNodePorts(old.type) && !hasNodePorts(spec.type)) {
    const before = new Set((old.ports ?? []).map(({ nodePort }) => nodePort));
    for (const port of spec.ports ?? []) if (before.has(port.nodePort)) delete port.nodePort;
    if (spec.externalTrafficPolicy === old.externalTrafficPolicy) delete spec.externalTrafficPolicy;
  }
  if (needsHealthPort(old) && !needsHealthPort(spec) && spec.healthCheckNodePort === old.healthCheckNodePort) {
    delete spec.healthCheckNodePort;
  }
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    for (const key of ['allocateLoadBalancerNodePorts', 'loadBalancerClass'] as const) {
      if (spec[key] === old[key]) delete spec[key];
    }
  }
}

const hasNodePorts = (type: string | undefined): boolean => type === 'NodePort' || type === 'LoadBalancer';

export const serviceStatusStrategy: ResourceStrategy = {
  validateName: nameIsDNS1035Label,
  validateUpdate: (object, old) => validateServiceStatus(object as Service, old as Service),
  warnings: (object) =>
    ((object as Service).status?.loadBalancer?.ingress ?? []).flatMap(({ ip }, index) =>
      ip ? ipWarnings(ip, `status.loadBalancer.ingress[${index}].ip`) : [],
    ),
};

export const endpointsStrategy: StrategyParts = {
  default: (object) => defaultEndpoints(object as Endpoints),
  validate: (object, old) => validateEndpoints(object as Endpoints, old as Endpoints | undefined),
  warnings: (object) => endpointsWarnings(object as Endpoints),
  allowCreateOnUpdate: true,
};
