import type { FieldError } from '../../field-error.js';
import type { EnvFromSource, EnvVar, EnvVarSource } from '../../generated/types.js';
import { each, requiredText } from '../common.js';
import { invalid, invalids, notSupported, required } from '../errors.js';
import { isConfigMapKey, isDNS1123Subdomain, isEnvVarName } from '../names.js';

const ENV_FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

const ENV_RESOURCES = ['limits.cpu', 'limits.ephemeral-storage', 'limits.memory', 'requests.cpu', 'requests.ephemeral-storage', 'requests.memory'];

/** Every path that the downward API knows, be it in environments or in volumes. */
const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  ...ENV_FIELDS,
  'metadata.annotations',
  'metadata.labels',
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
]);

const BINARY_AND_DECIMAL = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

/** The divisors that a resource may be given by, and how the error names it. */
function divisorsOf(resource: string): { readonly allowed: readonly string[]; readonly what: string } {
  const name = resource.slice(resource.indexOf('.') + 1);
  if (name === 'cpu') return { allowed: ['1m', '1'], what: 'cpu' };
  return { allowed: BINARY_AND_DECIMAL, what: name === 'memory' ? 'memory' : name === 'ephemeral-storage' ? 'local ephemeral storage' : 'hugepages' };
}

export const validateEnv = (env: readonly EnvVar[] | undefined, field: string): FieldError[] =>
  each(env, field, ({ name, value, valueFrom }, path) => [
    ...requiredText(name, `${path}.name`, isEnvVarName),
    ...validateValueFrom(valueFrom, value, `${path}.valueFrom`),
  ]);

function validateValueFrom(source: EnvVarSource | undefined, value: string | undefined, field: string): FieldError[] {
  if (!source) return [];
  const given = Object.entries(source).filter(([, body]) => body !== undefined);
  if (given.length === 0) {
    return [invalid(field, '', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`')];
  }
  const errors: FieldError[] = [];
  if (value) errors.push(invalid(field, '', 'may not be specified when `value` is not empty'));
  else if (given.length > 1) errors.push(invalid(field, '', 'may not have more than one field specified at a time'));
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source;
  if (fieldRef) errors.push(...validateFieldRef(fieldRef, `${field}.fieldRef`, ENV_FIELDS));
  if (resourceFieldRef) errors.push(...validateResourceFieldRef(resourceFieldRef, `${field}.resourceFieldRef`, false));
  for (const [kind, reference] of [
    ['configMapKeyRef', configMapKeyRef],
    ['secretKeyRef', secretKeyRef],
  ] as const) {
    if (!reference) continue;
    errors.push(...requiredText(reference.name, `${field}.${kind}.name`));
    errors.push(...requiredText(reference.key, `${field}.${kind}.key`, isConfigMapKey));
  }
  if (fileKeyRef) {
    errors.push(...requiredText(fileKeyRef.key, `${field}.fileKeyRef.key`, isEnvVarName));
    errors.push(...requiredText(fileKeyRef.volumeName, `${field}.fileKeyRef.volumeName`));
    errors.push(...requiredText(fileKeyRef.path, `${field}.fileKeyRef.path`));
  }
  return errors;
}

/** A downward API reference; `supported` are the plain paths, subscripts of labels and annotations are checked as well. */
export function validateFieldRef(
  { apiVersion, fieldPath }: { readonly apiVersion?: string; readonly fieldPath: string },
  field: string,
  supported: readonly string[],
): FieldError[] {
  if (!apiVersion) return [required(`${field}.apiVersion`)];
  if (!fieldPath) return [required(`${field}.fieldPath`)];
  if (apiVersion !== 'v1') return [invalid(`${field}.fieldPath`, fieldPath, `error converting fieldPath: field label not supported: ${fieldPath}`)];
  const subscript = /^metadata\.(annotations|labels)\['(.*)'\]$/.exec(fieldPath);
  if (subscript) return [];
  if (!KNOWN_FIELDS.has(fieldPath)) return [invalid(`${field}.fieldPath`, fieldPath, `error converting fieldPath: field label not supported: ${fieldPath}`)];
  return supported.includes(fieldPath) ? [] : [notSupported(`${field}.fieldPath`, fieldPath, supported)];
}

export function validateResourceFieldRef(
  { containerName, resource, divisor }: { readonly containerName?: string; readonly resource: string; readonly divisor?: string },
  field: string,
  volume: boolean,
): FieldError[] {
  if (volume && !containerName) return [required(`${field}.containerName`)];
  if (!resource) return [required(`${field}.resource`)];
  if (ENV_RESOURCES.includes(resource) || /^(limits|requests)\.hugepages-.+$/.test(resource)) return validateDivisor(resource, divisor, field);
  return [notSupported(`${field}.resource`, resource, ENV_RESOURCES)];
}

function validateDivisor(resource: string, divisor: string | undefined, field: string): FieldError[] {
  const { allowed, what } = divisorsOf(resource);
  if (divisor === undefined || divisor === '0' || allowed.includes(divisor)) return [];
  const list = allowed.length === 2 ? allowed.join(' and ') : allowed.join(', ');
  return [invalid(`${field}.divisor`, resource, `only divisor's values ${list} are supported with the ${what} resource`)];
}

export const validateEnvFrom = (sources: readonly EnvFromSource[] | undefined, field: string): FieldError[] =>
  each(sources, field, ({ prefix, configMapRef, secretRef }, path) => {
    const errors = prefix ? invalids(`${path}.prefix`, prefix, isEnvVarName(prefix)) : [];
    if (configMapRef) errors.push(...requiredText(configMapRef.name, `${path}.configMapRef.name`, isDNS1123Subdomain));
    if (secretRef) errors.push(...requiredText(secretRef.name, `${path}.secretRef.name`, isDNS1123Subdomain));
    if (!configMapRef && !secretRef) errors.push(invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'));
    else if (configMapRef && secretRef) errors.push(invalid(path, '', 'may not have more than one field specified at a time'));
    return errors;
  });
