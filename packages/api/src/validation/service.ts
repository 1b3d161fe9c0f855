import type { FieldError } from '../field-error.js';
import type { Service, ServicePort, ServiceSpec } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { each, optionalEnum, requiredEnum, validatePortNumOrName } from './common.js';
import { duplicate, forbidden, invalid, invalids, notSupported, required } from './errors.js';
import { ipWarnings, isIPFamily, validateCIDR, validateIP } from './ip.js';
import { isDNS1123Label, isDNS1123Subdomain, isPortNumber, isQualifiedName } from './names.js';
import { IMMUTABLE, validateLabels } from './object-meta.js';

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const exposed = ({ type }: ServiceSpec): boolean => type === 'NodePort' || type === 'LoadBalancer';

export function validateService({ spec }: Service): FieldError[] {
  if (!spec) return [required('spec.ports')];
  const headless = spec.clusterIP === 'None';
  const errors = [...validateType(spec, headless), ...validateServicePorts(spec, headless), ...validateLabels(spec.selector, 'spec.selector')];
  errors.push(
    ...requiredEnum(spec.sessionAffinity, 'spec.sessionAffinity', ['ClientIP', 'None']),
    ...validateAffinityConfig(spec),
    ...validateAddresses(spec),
    ...validatePolicies(spec),
    ...validateLoadBalancer(spec),
  );
  return errors;
}

function validateType(spec: ServiceSpec, headless: boolean): FieldError[] {
  const errors = requiredEnum(spec.type, 'spec.type', TYPES);
  if (spec.type === 'LoadBalancer' && headless) {
    errors.push(invalid('spec.clusterIPs[0]', 'None', "may not be set to 'None' for LoadBalancer services"));
  }
  if (spec.type === 'NodePort' && headless) {
    errors.push(invalid('spec.clusterIPs[0]', 'None', "may not be set to 'None' for NodePort services"));
  }
  if (spec.type === 'ExternalName') {
    const name = (spec.externalName ?? '').replace(/\.$/, '');
    if (name === '') errors.push(required('spec.externalName'));
    else errors.push(...invalids('spec.externalName', name, isDNS1123Subdomain(name)));
    if (spec.clusterIP) errors.push(forbidden('spec.clusterIP', "may not be set when `type` is 'ExternalName'"));
  }
  return errors;
}

function validateServicePorts(spec: ServiceSpec, headless: boolean): FieldError[] {
  const { ports = [], type } = spec;
  if (ports.length === 0 && !headless && type !== 'ExternalName') return [required('spec.ports')];
  const names = new Set<string>();
  const numbers = new Set<string>();
  const nodePorts = new Set<string>();
  return each(ports, 'spec.ports', (port, path) => {
    const errors = validateServicePort(port, path, ports.length > 1);
    if (port.name) {
      if (names.has(port.name)) errors.push(duplicate(`${path}.name`, port.name));
      names.add(port.name);
    }
    const key = `${port.protocol}/${port.port}`;
    if (numbers.has(key)) errors.push(duplicate(path, { protocol: port.protocol, port: port.port }));
    numbers.add(key);
    if (port.nodePort) {
      if (!exposed(spec)) errors.push(forbidden(`${path}.nodePort`, `may not be used when \`type\` is '${type}'`));
      const nodeKey = `${port.protocol}/${port.nodePort}`;
      if (nodePorts.has(nodeKey)) errors.push(duplicate(`${path}.nodePort`, port.nodePort));
      nodePorts.add(nodeKey);
    }
    return errors;
  });
}

function validateServicePort({ name, port, protocol, targetPort, appProtocol }: ServicePort, field: string, named: boolean): FieldError[] {
  const errors: FieldError[] = [];
  if (!name) {
    if (named) errors.push(required(`${field}.name`));
  } else errors.push(...invalids(`${field}.name`, name, isDNS1123Label(name)));
  errors.push(...invalids(`${field}.port`, port, isPortNumber(port)));
  errors.push(...requiredEnum(protocol, `${field}.protocol`, ['SCTP', 'TCP', 'UDP']));
  errors.push(...validatePortNumOrName(targetPort, `${field}.targetPort`));
  if (appProtocol !== undefined) errors.push(...invalids(`${field}.appProtocol`, appProtocol, isQualifiedName(appProtocol)));
  return errors;
}

function validateAffinityConfig({ sessionAffinity, sessionAffinityConfig }: ServiceSpec): FieldError[] {
  const path = 'spec.sessionAffinityConfig';
  if (sessionAffinity === 'None') {
    return sessionAffinityConfig ? [forbidden(path, 'must not be set when session affinity is None')] : [];
  }
  if (sessionAffinity !== 'ClientIP') return [];
  const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds;
  if (seconds === undefined) return [required(`${path}.clientIP.timeoutSeconds`)];
  if (seconds > 0 && seconds <= 86400) return [];
  return [invalid(`${path}.clientIP.timeoutSeconds`, seconds, 'must be greater than 0 and less than 86400')];
}

function validateAddresses(spec: ServiceSpec): FieldError[] {
  const { clusterIP, clusterIPs = [], ipFamilies = [], ipFamilyPolicy, externalIPs } = spec;
  const errors: FieldError[] = [];
  if (clusterIPs.length > 2) errors.push(invalid('spec.clusterIPs', clusterIPs, 'may only hold up to 2 values'));
  if (clusterIPs.length > 0 && clusterIP !== undefined && clusterIP !== clusterIPs[0]) {
    errors.push(invalid('spec.clusterIPs', clusterIPs, 'first value must match `clusterIP`'));
  }
  clusterIPs.forEach((address, index) => {
    if (address === 'None') {
      if (index > 0) errors.push(invalid(`spec.clusterIPs[${index}]`, address, "'None' must be the first and only value"));
      return;
    }
    errors.push(...validateIP(address, `spec.clusterIPs[${index}]`));
    const family = ipFamilies[index];
    if ((family === 'IPv4' || family === 'IPv6') && !isIPFamily(address, family)) {
      errors.push(invalid(`spec.clusterIPs[${index}]`, address, `expected an ${family} value as indicated by \`ipFamilies[${index}]\``));
    }
  });
  errors.push(
    ...optionalEnum(ipFamilyPolicy, 'spec.ipFamilyPolicy', ['PreferDualStack', 'RequireDualStack', 'SingleStack']),
    ...each(ipFamilies, 'spec.ipFamilies', (family, at, index) => {
      if (family !== 'IPv4' && family !== 'IPv6') return [notSupported(at, family, ['IPv4', 'IPv6'])];
      return ipFamilies.indexOf(family) < index ? [duplicate(at, family)] : [];
    }),
    ...each(externalIPs, 'spec.externalIPs', (address, at) => {
      const found = validateIP(address, at);
      if (found.length > 0) return found;
      if (/^(127\.|::1$|0\.0\.0\.0$|::$|169\.254\.|fe80:|224\.0\.0\.)/i.test(address)) {
        return [
          invalid(
            at,
            address,
            address === '0.0.0.0' || address === '::'
              ? `may not be unspecified (${address})`
              : 'may not be in the loopback, link-local or link-local multicast range',
          ),
        ];
      }
      return [];
    }),
  );
  return errors;
}

function validatePolicies(spec: ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  if (spec.externalTrafficPolicy) {
    if (!exposed(spec) && (spec.externalIPs ?? []).length === 0) {
      errors.push(invalid('spec.externalTrafficPolicy', spec.externalTrafficPolicy, 'may only be set for externally-accessible services'));
    } else errors.push(...optionalEnum(spec.externalTrafficPolicy, 'spec.externalTrafficPolicy', ['Cluster', 'Local']));
  } else if (exposed(spec)) errors.push(required('spec.externalTrafficPolicy'));
  errors.push(...optionalEnum(spec.internalTrafficPolicy, 'spec.internalTrafficPolicy', ['Cluster', 'Local']));
  errors.push(...optionalEnum(spec.trafficDistribution, 'spec.trafficDistribution', ['PreferClose', 'PreferSameNode', 'PreferSameZone']));
  if (spec.healthCheckNodePort) {
    errors.push(...invalids('spec.healthCheckNodePort', spec.healthCheckNodePort, isPortNumber(spec.healthCheckNodePort)));
    if (spec.type !== 'LoadBalancer' || spec.externalTrafficPolicy !== 'Local') {
      errors.push(
        invalid('spec.healthCheckNodePort', spec.healthCheckNodePort, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"),
      );
    }
  }
  return errors;
}

function validateLoadBalancer(spec: ServiceSpec): FieldError[] {
  const balanced = spec.type === 'LoadBalancer';
  const errors: FieldError[] = [];
  const ranges = spec.loadBalancerSourceRanges ?? [];
  if (ranges.length > 0) {
    if (!balanced) errors.push(forbidden('spec.LoadBalancerSourceRanges', "may only be used when `type` is 'LoadBalancer'"));
    errors.push(...each(ranges, 'spec.LoadBalancerSourceRanges', (range, at) => validateCIDR(range.trim(), at)));
  }
  if (spec.allocateLoadBalancerNodePorts !== undefined && !balanced) {
    errors.push(forbidden('spec.allocateLoadBalancerNodePorts', "may only be used when `type` is 'LoadBalancer'"));
  }
  if (spec.loadBalancerClass !== undefined) {
    if (!balanced) errors.push(forbidden('spec.loadBalancerClass', "may only be used when `type` is 'LoadBalancer'"));
    else errors.push(...invalids('spec.loadBalancerClass', spec.loadBalancerClass, isQualifiedName(spec.loadBalancerClass)));
  }
  return errors;
}

const HINTS = 'service.kubernetes.io/topology-aware-hints';

/** What nothing comes of, and addresses that should be written otherwise. */
export function serviceWarnings({ metadata, spec }: Service): string[] {
  if (!spec) return [];
  const { type, clusterIP, clusterIPs = [], externalIPs = [], loadBalancerIP, sessionAffinity } = spec;
  const hints =
    metadata.annotations?.[HINTS] === undefined ? [] : [`annotation ${HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead`];
  const warnings = clusterIP && clusterIP !== 'None' ? clusterIPs.flatMap((address, index) => ipWarnings(address, `spec.clusterIPs[${index}]`)) : [];
  if (clusterIP === 'None') {
    if (loadBalancerIP) warnings.push('spec.loadBalancerIP is ignored for headless services');
    if (externalIPs.length > 0) warnings.push('spec.externalIPs is ignored for headless services');
    if (sessionAffinity !== 'None') warnings.push('spec.SessionAffinity is ignored for headless services');
  }
  return [
    ...hints,
    ...warnings,
    ...externalIPs.flatMap((address, index) => ipWarnings(address, `spec.externalIPs[${index}]`)),
    ...(loadBalancerIP ? ipWarnings(loadBalancerIP, 'spec.loadBalancerIP') : []),
    ...(type === 'ExternalName' && externalIPs.length > 0 ? ['spec.externalIPs is ignored when spec.type is "ExternalName"'] : []),
  ];
}

/** Allocated addresses stay while the type keeps them. */
export function validateServiceUpdate({ spec }: Service, { spec: old }: Service): FieldError[] {
  if (!spec || !old || spec.type === 'ExternalName' || old.type === 'ExternalName') return [];
  const errors: FieldError[] = [];
  const [primary] = spec.clusterIPs ?? [];
  const [before] = old.clusterIPs ?? [];
  if (before && primary !== before) errors.push(invalid('spec.clusterIPs[0]', spec.clusterIPs ?? [], 'may not change once set'));
  if (old.type === 'LoadBalancer' && spec.type === 'LoadBalancer' && !deepEqual(spec.loadBalancerClass, old.loadBalancerClass)) {
    errors.push(invalid('spec.loadBalancerClass', spec.loadBalancerClass ?? null, 'may not change once set'));
  }
  if (old.ipFamilies?.[0] && spec.ipFamilies?.[0] && old.ipFamilies[0] !== spec.ipFamilies[0]) {
    errors.push(invalid('spec.ipFamilies[0]', spec.ipFamilies, IMMUTABLE));
  }
  return errors;
}
