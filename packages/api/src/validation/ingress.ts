import type { FieldError } from '../field-error.js';
import type { HTTPIngressPath, Ingress, IngressBackend, IngressClass, IngressRule } from '../generated/types.js';
import { each, optionalText, requiredEnum, requiredText } from './common.js';
import { forbidden, invalid, invalids, notSupported, required, tooLong } from './errors.js';
import { isAddress, validateIP } from './ip.js';
import {
  byteLength,
  isDNS1035Label,
  isDNS1123Label,
  isDNS1123Subdomain,
  isDomainPrefixedPath,
  isPathSegment,
  isPortName,
  isPortNumber,
  isWildcardDNS1123Subdomain,
  type SyntaxCheck,
} from './names.js';
import { immutable } from './object-meta.js';

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';

/** What of a stored ingress is wrong by what is known now, and may stay. */
interface Allowed {
  readonly anySecret: boolean;
  readonly anyWildcardRule: boolean;
  readonly anyLabel: boolean;
}

const STRICT: Allowed = { anySecret: false, anyWildcardRule: false, anyLabel: false };

export function validateIngress({ metadata, spec = {} }: Ingress, old?: Ingress): FieldError[] {
  const allowed = old ? allowedBy(old) : STRICT;
  const errors: FieldError[] = [];
  if (!spec.defaultBackend && (spec.rules ?? []).length === 0) {
    errors.push(invalid('spec', spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified'));
  }
  if (spec.defaultBackend) errors.push(...validateBackend(spec.defaultBackend, 'spec.defaultBackend', allowed));
  errors.push(
    ...each(spec.rules, 'spec.rules', (rule, path) => validateRule(rule, path, allowed)),
    ...each(spec.tls, 'spec.tls', ({ hosts, secretName }, path) => [
      ...each(hosts, `${path}.hosts`, (host, at) => invalids(at, host, wrongHost(host))),
      ...(secretName && !allowed.anySecret ? invalids(`${path}.secretName`, secretName, isDNS1123Subdomain(secretName)) : []),
    ]),
  );
  const { ingressClassName: name } = spec;
  if (name === undefined) return errors;
  errors.push(...invalids('spec.ingressClassName', name, isDNS1123Subdomain(name)));
  const annotated = metadata.annotations?.[CLASS_ANNOTATION];
  if (!old && annotated !== undefined && annotated !== name) {
    errors.push(invalid(`annotations.${CLASS_ANNOTATION}`, annotated, 'must match `ingressClassName` when both are specified'));
  }
  return errors;
}

function allowedBy({ spec = {} }: Ingress): Allowed {
  const rules = spec.rules ?? [];
  const backends = [spec.defaultBackend, ...rules.flatMap(({ http }) => (http?.paths ?? []).map(({ backend }) => backend))];
  return {
    anySecret: (spec.tls ?? []).some(({ secretName }) => secretName && isDNS1123Subdomain(secretName).length > 0),
    anyWildcardRule: rules.some((rule) => rule.host?.includes('*') && validateHttp(rule, '', STRICT).length > 0),
    anyLabel: backends.some((backend) => {
      const name = backend?.service?.name;
      return name !== undefined && isDNS1035Label(name).length > 0 && isDNS1123Label(name).length === 0;
    }),
  };
}

const wrongHost = (host: string): string[] => (host.includes('*') ? isWildcardDNS1123Subdomain(host) : isDNS1123Subdomain(host));

function validateRule(rule: IngressRule, field: string, allowed: Allowed): FieldError[] {
  const { host } = rule;
  const errors = host && isAddress(host) ? [invalid(`${field}.host`, host, 'must be a DNS name, not an IP address')] : [];
  if (host) errors.push(...invalids(`${field}.host`, host, wrongHost(host)));
  return host?.includes('*') && allowed.anyWildcardRule ? errors : [...errors, ...validateHttp(rule, field, allowed)];
}

function validateHttp({ http }: IngressRule, field: string, allowed: Allowed): FieldError[] {
  if (!http) return [];
  const errors = (http.paths ?? []).length === 0 ? [required(`${field}.http.paths`)] : [];
  return [...errors, ...each(http.paths, `${field}.http.paths`, (path, at) => validatePath(path, at, allowed))];
}

const segment: SyntaxCheck = (text) => isPathSegment(text, false);

const TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];

function validatePath({ path = '', pathType, backend }: HTTPIngressPath, field: string, allowed: Allowed): FieldError[] {
  const errors: FieldError[] = [];
  if (pathType === undefined) return [required(`${field}.pathType`, 'pathType must be specified')];
  if (!TYPES.includes(pathType)) errors.push(notSupported(`${field}.pathType`, pathType, TYPES));
  else if (pathType !== 'ImplementationSpecific' || path !== '') {
    if (!path.startsWith('/')) errors.push(invalid(`${field}.path`, path, 'must be an absolute path'));
    if (pathType !== 'ImplementationSpecific') {
      for (const bad of ['//', '/./', '/../', '%2f', '%2F']) if (path.includes(bad)) errors.push(invalid(`${field}.path`, path, `must not contain '${bad}'`));
      for (const bad of ['/..', '/.']) if (path.endsWith(bad)) errors.push(invalid(`${field}.path`, path, `cannot end with '${bad}'`));
    }
  }
  return [...errors, ...validateBackend(backend, `${field}.backend`, allowed)];
}

function validateBackend(backend: IngressBackend | undefined, field: string, { anyLabel }: Allowed): FieldError[] {
  const { service, resource } = backend ?? {};
  if (service && resource) return [invalid(field, '', 'cannot set both resource and service backends')];
  if (resource)
    return [
      ...(resource.apiGroup === undefined ? [] : invalids(`${field}.resource.apiGroup`, resource.apiGroup, isDNS1123Subdomain(resource.apiGroup))),
      ...requiredText(resource.kind, `${field}.resource.kind`, segment),
      ...requiredText(resource.name, `${field}.resource.name`, segment),
    ];
  if (!service) return [invalid(field, '', 'resource or service backend is required')];
  const errors: FieldError[] = [];
  if (!service.name) errors.push(required(`${field}.service.name`));
  else errors.push(...invalids(`${field}.service.name`, service.name, (anyLabel ? isDNS1123Label : isDNS1035Label)(service.name)));
  const { name, number } = service.port ?? {};
  const path = `${field}.service.port`;
  if (name && number) return [...errors, invalid(field, '', 'cannot set both port name & port number')];
  if (name) return [...errors, ...invalids(`${path}.name`, name, isPortName(name))];
  if (number) return [...errors, ...invalids(`${path}.number`, number, isPortNumber(number))];
  return [...errors, required(field, 'port name or number is required')];
}

export function validateIngressClass({ spec }: IngressClass): FieldError[] {
  const controller = spec?.controller ?? '';
  const errors = controller ? invalids('spec.controller', controller, isDomainPrefixedPath(controller)) : [required('spec.controller')];
  if (byteLength(controller) > 250) errors.unshift(tooLong('spec.controller', 250));
  const parameters = spec?.parameters;
  if (!parameters) return errors;
  const path = 'spec.parameters';
  errors.push(
    ...(parameters.apiGroup === undefined ? [] : invalids(`${path}.apiGroup`, parameters.apiGroup, isDNS1123Subdomain(parameters.apiGroup))),
    ...requiredText(parameters.kind, `${path}.kind`, segment),
    ...requiredText(parameters.name, `${path}.name`, segment),
    ...requiredEnum(parameters.scope, `${path}.scope`, ['Cluster', 'Namespace']),
  );
  if (parameters.scope === 'Namespace') {
    if (parameters.namespace === undefined) errors.push(required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'"));
    else errors.push(...invalids(`${path}.namespace`, parameters.namespace, isDNS1123Label(parameters.namespace)));
  } else if (parameters.scope === 'Cluster' && parameters.namespace !== undefined) {
    errors.push(forbidden(`${path}.namespace`, "`parameters.scope` is set to 'Cluster'"));
  }
  return errors;
}

/** What controllers say of where an ingress is reached; addresses that are stored may stay. */
export function validateIngressStatus({ status }: Ingress, old?: Ingress): FieldError[] {
  const known = (old?.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip);
  return each(status?.loadBalancer?.ingress, 'status.loadBalancer.ingress', ({ ip, hostname }, at) => [
    ...(ip && !known.includes(ip) ? validateIP(ip, `${at}.ip`) : []),
    ...optionalText(hostname, `${at}.hostname`, isDNS1123Subdomain),
    ...(hostname && isAddress(hostname) ? [invalid(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address')] : []),
  ]);
}

/** On create: the field is there. */
export const ingressWarnings = ({ metadata }: Ingress): string[] =>
  metadata.annotations?.[CLASS_ANNOTATION] === undefined ? [] : [`annotation "${CLASS_ANNOTATION}" is deprecated, please use 'spec.ingressClassName' instead`];

export const validateIngressClassUpdate = ({ spec }: IngressClass, { spec: old }: IngressClass): FieldError[] =>
  immutable(spec?.controller, old?.controller, 'spec.controller');
