import type { FieldError } from '../field-error.js';
import type { HTTPIngressPath, Ingress, IngressBackend, IngressClass } from '../generated/types.js';
import { each, optionalText, requiredEnum, requiredText } from './common.js';
import { forbidden, invalid, invalids, notSupported, required, tooLong } from './errors.js';
import { isIP } from 'node:net';
import { validateIP } from './ip.js';
import {
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

export function validateIngress({ metadata, spec = {} }: Ingress): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec.defaultBackend && (spec.rules ?? []).length === 0) {
    errors.push(invalid('spec', spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified'));
  }
  if (spec.defaultBackend) errors.push(...validateBackend(spec.defaultBackend, 'spec.defaultBackend'));
  if (spec.ingressClassName !== undefined) {
    errors.push(...invalids('spec.ingressClassName', spec.ingressClassName, isDNS1123Subdomain(spec.ingressClassName)));
    if (metadata.annotations?.['kubernetes.io/ingress.class'] !== undefined && !metadata.resourceVersion) {
      errors.push(
        invalid(
          'metadata.annotations[kubernetes.io/ingress.class]',
          metadata.annotations['kubernetes.io/ingress.class'],
          'can not be set when the class field is also set',
        ),
      );
    }
  }
  return [
    ...errors,
    ...each(spec.rules, 'spec.rules', ({ host, http }, path) => [
      ...validateHost(host, `${path}.host`),
      ...(http && (http.paths ?? []).length === 0 ? [required(`${path}.http.paths`)] : []),
      ...each(http?.paths, `${path}.http.paths`, validatePath),
    ]),
    ...each(spec.tls, 'spec.tls', ({ hosts, secretName }, path) => [
      ...each(hosts, `${path}.hosts`, (host, at) => invalids(at, host, host.includes('*') ? isWildcardDNS1123Subdomain(host) : isDNS1123Subdomain(host))),
      ...(secretName ? invalids(`${path}.secretName`, secretName, isDNS1123Subdomain(secretName)) : []),
    ]),
  ];
}

function validateHost(host: string | undefined, field: string): FieldError[] {
  if (!host) return [];
  if (isIP(host)) return [invalid(field, host, 'must be a DNS name, not an IP address')];
  return invalids(field, host, host.includes('*') ? isWildcardDNS1123Subdomain(host) : isDNS1123Subdomain(host));
}

const segment: SyntaxCheck = (text) => isPathSegment(text, false);

const TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];

function validatePath({ path = '', pathType, backend }: HTTPIngressPath, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!pathType) return [required(`${field}.pathType`, 'pathType must be specified')];
  if (!TYPES.includes(pathType)) errors.push(notSupported(`${field}.pathType`, pathType, TYPES));
  else if (pathType !== 'ImplementationSpecific' || path !== '') {
    if (!path.startsWith('/')) errors.push(invalid(`${field}.path`, path, 'must be an absolute path'));
    if (pathType !== 'ImplementationSpecific') {
      for (const bad of ['//', '/./', '/../', '%2f', '%2F']) if (path.includes(bad)) errors.push(invalid(`${field}.path`, path, `must not contain '${bad}'`));
      for (const bad of ['/..', '/.']) if (path.endsWith(bad)) errors.push(invalid(`${field}.path`, path, `cannot end with '${bad}'`));
    }
  }
  return [...errors, ...validateBackend(backend, `${field}.backend`)];
}

function validateBackend(backend: IngressBackend | undefined, field: string): FieldError[] {
  const { service, resource } = backend ?? {};
  if (service && resource) return [invalid(field, '', 'cannot set both resource and service backends')];
  if (resource)
    return [
      ...optionalText(resource.apiGroup, `${field}.resource.apiGroup`, isDNS1123Subdomain),
      ...requiredText(resource.kind, `${field}.resource.kind`, segment),
      ...requiredText(resource.name, `${field}.resource.name`, segment),
    ];
  if (!service) return [invalid(field, '', 'resource or service backend is required')];
  const errors: FieldError[] = [];
  if (!service.name) errors.push(required(`${field}.service.name`));
  else errors.push(...invalids(`${field}.service.name`, service.name, isDNS1035Label(service.name)));
  const { name, number } = service.port ?? {};
  const path = `${field}.service.port`;
  if (name && number) return [...errors, invalid(field, '', 'cannot set both port name & port number')];
  if (name) return [...errors, ...invalids(`${path}.name`, name, isPortName(name))];
  if (number) return [...errors, ...invalids(`${path}.number`, number, isPortNumber(number))];
  return [...errors, required(field, 'port name or number is required')];
}

export function validateIngressClass({ spec }: IngressClass): FieldError[] {
  const errors: FieldError[] = [];
  const controller = spec?.controller ?? '';
  if (controller.length > 250) errors.push(tooLong('spec.controller', 250));
  errors.push(...(controller ? invalids('spec.controller', controller, isDomainPrefixedPath(controller)) : [required('spec.controller')]));
  const parameters = spec?.parameters;
  if (!parameters) return errors;
  const path = 'spec.parameters';
  errors.push(
    ...optionalText(parameters.apiGroup, `${path}.apiGroup`, isDNS1123Subdomain),
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

/** What controllers say of where an ingress is reached. */
export const validateIngressStatus = ({ status }: Ingress): FieldError[] =>
  each(status?.loadBalancer?.ingress, 'status.loadBalancer.ingress', ({ ip, hostname }, at) => [
    ...(ip ? validateIP(ip, `${at}.ip`) : []),
    ...optionalText(hostname, `${at}.hostname`, isDNS1123Subdomain),
    ...(hostname && isIP(hostname) ? [invalid(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address')] : []),
  ]);

export const validateIngressClassUpdate = ({ spec }: IngressClass, { spec: old }: IngressClass): FieldError[] =>
  immutable(spec?.controller, old?.controller, 'spec.controller');
