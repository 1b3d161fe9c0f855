import type { FieldError } from '../field-error.js';
import type { Service, ServicePort, ServiceSpec } from '../generated/types.js';
import { each, optionalEnum, requiredEnum, validatePortNumOrName } from './common.js';
import { duplicate, forbidden, invalid, invalids, notSupported, required } from './errors.js';
import { validateNonSpecialIP } from './endpoint-ip.js';
import { validateCIDR, validateIP } from './ip.js';
import { isDNS1123Label, isDNS1123Subdomain, isPortNumber, isQualifiedName } from './names.js';
import { validateLabels } from './object-meta.js';
import { validateServiceAddresses } from './service-addresses.js';
import { isExternallyAccessible, isHeadless, needsHealthCheck } from './service-traits.js';

const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const HINTS = 'service.kubernetes.io/topology-aware-hints';
const MODE = 'service.kubernetes.io/topology-mode';

/** With `old`: addresses that are stored may stay, whatever is thought of them now. */
export function validateService(service: Service, old?: Service): FieldError[] {
  const { spec, metadata } = service;
  if (!spec) return [required('spec.ports')];
  const [hints, mode] = [metadata.annotations?.[HINTS], metadata.annotations?.[MODE]];
  const headless = isHeadless(spec);
  return [
    ...(hints !== undefined && mode !== undefined && hints !== mode
      ? [invalid(`metadata.annotations[${MODE}]`, mode, `must match annotations[${HINTS}] when both are specified`)]
      : []),
    ...((spec.ports ?? []).length === 0 && !headless && spec.type !== 'ExternalName' ? [required('spec.ports')] : []),
    ...validateByType(spec, headless),
    ...validatePorts(spec.ports ?? []),
    ...(spec.selector ? validateLabels(spec.selector, 'spec.selector') : []),
    ...requiredEnum(spec.sessionAffinity, 'spec.sessionAffinity', ['ClientIP', 'None']),
    ...validateAffinityConfig(spec),
    ...validateServiceAddresses(spec, old?.spec?.clusterIPs),
    ...validateExternalIPs(spec, old?.spec?.externalIPs),
    ...requiredEnum(spec.type, 'spec.type', TYPES),
    ...validatePortNumbers(spec),
    ...validateSourceRanges(service, old),
    ...validateLoadBalancer(spec),
    ...validatePolicies(spec),
  ];
}

function validateByType(spec: ServiceSpec, headless: boolean): FieldError[] {
  const { type, clusterIPs = [], ipFamilies = [], ipFamilyPolicy, externalName = '' } = spec;
  if ((type === 'LoadBalancer' || type === 'NodePort') && headless) {
    return [invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${type} services`)];
  }
  if (type !== 'ExternalName') return [];
  const set = { clusterIPs: clusterIPs.length > 0, ipFamilies: ipFamilies.length > 0, ipFamilyPolicy: ipFamilyPolicy !== undefined };
  const errors = Object.entries(set).flatMap(([key, given]) => (given ? [forbidden(`spec.${key}`, 'may not be set for ExternalName services')] : []));
  const name = externalName.replace(/\.$/, '');
  return [...errors, ...(name === '' ? [required('spec.externalName')] : invalids('spec.externalName', name, isDNS1123Subdomain(name)))];
}

function validatePorts(ports: readonly ServicePort[]): FieldError[] {
  const names = new Set<string>();
  return each(ports, 'spec.ports', ({ name, port, protocol, targetPort, appProtocol }, path) => {
    const errors = name ? invalids(`${path}.name`, name, isDNS1123Label(name)) : ports.length > 1 ? [required(`${path}.name`)] : [];
    if (name) {
      if (names.has(name)) errors.push(duplicate(`${path}.name`, name));
      names.add(name);
    }
    return [
      ...errors,
      ...invalids(`${path}.port`, port, isPortNumber(port)),
      ...requiredEnum(protocol, `${path}.protocol`, ['SCTP', 'TCP', 'UDP']),
      ...validatePortNumOrName(targetPort, `${path}.targetPort`),
      ...(appProtocol === undefined ? [] : invalids(`${path}.appProtocol`, appProtocol, isQualifiedName(appProtocol))),
    ];
  });
}

/** No port twice, be it of the service or of the nodes. */
function validatePortNumbers({ type, ports = [] }: ServiceSpec): FieldError[] {
  const once = (keyOf: (port: ServicePort) => string | undefined, error: (port: ServicePort, path: string) => FieldError): FieldError[] => {
    const seen = new Set<string>();
    return each(ports, 'spec.ports', (port, path) => {
      const key = keyOf(port);
      if (key === undefined) return [];
      const again = seen.has(key);
      seen.add(key);
      return again ? [error(port, path)] : [];
    });
  };
  return [
    ...(type === 'ClusterIP'
      ? each(ports, 'spec.ports', ({ nodePort }, path) => (nodePort ? [forbidden(`${path}.nodePort`, "may not be used when `type` is 'ClusterIP'")] : []))
      : []),
    ...once(
      ({ nodePort, protocol }) => (nodePort ? `${protocol}/${nodePort}` : undefined),
      ({ nodePort }, path) => duplicate(`${path}.nodePort`, nodePort),
    ),
    ...once(
      ({ port, protocol }) => `${protocol}/${port}`,
      ({ port, protocol }, path) => duplicate(path, { protocol, port }),
    ),
  ];
}

function validateAffinityConfig({ sessionAffinity, sessionAffinityConfig: config }: ServiceSpec): FieldError[] {
  const path = 'spec.sessionAffinityConfig';
  if (sessionAffinity === 'None') return config ? [forbidden(path, 'must not be set when session affinity is None')] : [];
  if (sessionAffinity !== 'ClientIP') return [];
  const when = 'when session affinity type is ClientIP';
  if (!config) return [required(path, when)];
  if (!config.clientIP) return [required(`${path}.clientIP`, when)];
  const seconds = config.clientIP.timeoutSeconds;
  if (seconds === undefined) return [required(`${path}.clientIP.timeoutSeconds`, when)];
  if (seconds > 0 && seconds <= 86400) return [];
  return [invalid(`${path}.clientIP.timeoutSeconds`, seconds, 'must be greater than 0 and less than 86400')];
}

const validateExternalIPs = ({ externalIPs }: ServiceSpec, known: readonly string[] = []): FieldError[] =>
  each(externalIPs, 'spec.externalIPs', (address, path) => {
    const errors = known.includes(address) ? [] : validateIP(address, path);
    return errors.length > 0 ? errors : validateNonSpecialIP(address, path);
  });

const ONLY_BALANCED = "may only be used when `type` is 'LoadBalancer'";
const RANGES = 'service.beta.kubernetes.io/load-balancer-source-ranges';

/** By the field or, of old, by an annotation. Spaces around a range are a part of the API. */
function validateSourceRanges({ metadata, spec }: Service, old: Service | undefined): FieldError[] {
  const ranges = spec?.loadBalancerSourceRanges ?? [];
  const balanced = spec?.type === 'LoadBalancer';
  if (ranges.length > 0) {
    const path = 'spec.LoadBalancerSourceRanges';
    const known = (old?.spec?.loadBalancerSourceRanges ?? []).map((range) => range.trim());
    const errors = balanced ? [] : [forbidden(path, ONLY_BALANCED)];
    return [...errors, ...each(ranges, path, (range, at) => (known.includes(range.trim()) ? [] : validateCIDR(range.trim(), at)))];
  }
  const annotated = metadata.annotations?.[RANGES];
  if (annotated === undefined) return [];
  const path = `metadata.annotations[${RANGES}]`;
  const errors = balanced ? [] : [forbidden(path, ONLY_BALANCED)];
  if (annotated.trim() === '' || old?.metadata.annotations?.[RANGES] === annotated) return errors;
  return [...errors, ...annotated.split(',').flatMap((range) => validateCIDR(range.trim(), path))];
}

function validateLoadBalancer({ type, allocateLoadBalancerNodePorts: allocate, loadBalancerClass }: ServiceSpec): FieldError[] {
  const balanced = type === 'LoadBalancer';
  const errors: FieldError[] = [];
  if (allocate !== undefined && !balanced) errors.push(forbidden('spec.allocateLoadBalancerNodePorts', ONLY_BALANCED));
  if (allocate === undefined && balanced) errors.push(required('allocateLoadBalancerNodePorts'));
  if (loadBalancerClass === undefined) return errors;
  if (!balanced) return [...errors, forbidden('spec.loadBalancerClass', ONLY_BALANCED)];
  return [...errors, ...invalids('spec.loadBalancerClass', loadBalancerClass, isQualifiedName(loadBalancerClass))];
}

const DISTRIBUTIONS = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];

function validatePolicies(spec: ServiceSpec): FieldError[] {
  const { type = '', externalTrafficPolicy: external, internalTrafficPolicy: internal, healthCheckNodePort: healthPort, trafficDistribution } = spec;
  const errors: FieldError[] = [];
  if (isExternallyAccessible(spec)) errors.push(...requiredEnum(external, 'spec.externalTrafficPolicy', ['Cluster', 'Local']));
  else if (external) errors.push(invalid('spec.externalTrafficPolicy', external, 'may only be set for externally-accessible services'));
  const path = 'spec.healthCheckNodePort';
  if (needsHealthCheck(spec)) errors.push(...(healthPort ? invalids(path, healthPort, isPortNumber(healthPort)) : [required(path)]));
  else if (healthPort) errors.push(invalid(path, healthPort, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"));
  if (internal === undefined && ['NodePort', 'LoadBalancer', 'ClusterIP'].includes(type)) errors.push(required('spec.internalTrafficPolicy'));
  errors.push(...optionalEnum(internal, 'spec.internalTrafficPolicy', ['Cluster', 'Local']));
  if (trafficDistribution !== undefined && !DISTRIBUTIONS.includes(trafficDistribution)) {
    errors.push(notSupported('spec.trafficDistribution', trafficDistribution, DISTRIBUTIONS));
  }
  return errors;
}
