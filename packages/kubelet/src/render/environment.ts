import type { ConfigMap, Container, EnvVar, Pod, Secret, Service } from '@coxswain/api';
import { ContainerConfigError } from './config-error.js';
import { expand } from './expand.js';
import { type FieldContext, fieldValue, resourceValue } from './field-path.js';
import { linkedServices, serviceEnv } from './service-env.js';

export interface EnvironmentInput extends FieldContext {
  readonly services: readonly Service[];
  /** Undefined when there is none. */
  configMap(name: string): Promise<ConfigMap | undefined>;
  secret(name: string): Promise<Secret | undefined>;
  /** Keys of an envFrom source that cannot be variables. */
  invalidNames(kind: 'ConfigMap' | 'Secret', name: string, keys: readonly string[]): void;
  /** Reads a file of an emptyDir (`fileKeyRef`). */
  fileKey?(volume: string, path: string, key: string): Promise<string | undefined>;
}

// Printable ASCII except '='.
const VALID_NAME = /^[\x20-\x3c\x3e-\x7e]+$/;

/** The environment of a container, in order. Later names win; `$(VAR)` sees what came before, then service variables. */
export async function environment(pod: Pod, container: Container, input: EnvironmentInput): Promise<{ name: string; value: string }[]> {
  const namespace = pod.metadata?.namespace ?? 'default';
  const services = serviceEnv(linkedServices(input.services, namespace, pod.spec?.enableServiceLinks ?? true));
  const result = new Map<string, string>();
  for (const source of container.envFrom ?? []) {
    const ref = source.configMapRef ?? source.secretRef;
    if (!ref?.name) continue;
    const kind = source.configMapRef ? 'ConfigMap' : 'Secret';
    const object = kind === 'ConfigMap' ? await input.configMap(ref.name) : await input.secret(ref.name);
    if (!object) {
      if (ref.optional) continue;
      throw new ContainerConfigError(`${kind.toLowerCase()} "${ref.name}" not found`);
    }
    const invalid: string[] = [];
    for (const [key, raw] of Object.entries(object.data ?? {})) {
      const name = `${source.prefix ?? ''}${key}`;
      if (!VALID_NAME.test(name)) invalid.push(key);
      else result.set(name, kind === 'Secret' ? decode(raw) : raw);
    }
    if (invalid.length > 0) input.invalidNames(kind, ref.name, invalid.sort());
  }
  for (const variable of container.env ?? []) {
    const value = await variableValue(pod, container, variable, input, (name) => result.get(name) ?? services[name]);
    if (value === undefined) continue;
    result.set(variable.name, value);
  }
  for (const [name, value] of Object.entries(services)) if (!result.has(name)) result.set(name, value);
  return [...result].map(([name, value]) => ({ name, value }));
}

async function variableValue(
  pod: Pod,
  container: Container,
  variable: EnvVar,
  input: EnvironmentInput,
  lookup: (name: string) => string | undefined,
): Promise<string | undefined> {
  const from = variable.valueFrom;
  if (!from) return expand(variable.value ?? '', lookup);
  const at = `${pod.metadata?.namespace}/${pod.metadata?.name}`;
  if (from.fieldRef) {
    const value = fieldValue(pod, from.fieldRef.fieldPath, input);
    if (value === undefined) throw new ContainerConfigError(`unsupported fieldPath: ${from.fieldRef.fieldPath}`);
    return value;
  }
  if (from.resourceFieldRef) {
    try {
      return resourceValue(pod, container, from.resourceFieldRef, input);
    } catch (error) {
      throw new ContainerConfigError((error as Error).message);
    }
  }
  if (from.configMapKeyRef) {
    const { name = '', key, optional } = from.configMapKeyRef;
    const object = await input.configMap(name);
    if (!object && !optional) throw new ContainerConfigError(`configmap "${name}" not found`);
    const value = object?.data?.[key];
    if (value === undefined && object && !optional) throw new ContainerConfigError(`couldn't find key ${key} in ConfigMap ${pod.metadata?.namespace}/${name}`);
    return value;
  }
  if (from.secretKeyRef) {
    const { name = '', key, optional } = from.secretKeyRef;
    const object = await input.secret(name);
    if (!object && !optional) throw new ContainerConfigError(`secret "${name}" not found`);
    const value = object?.data?.[key];
    if (value === undefined && object && !optional) throw new ContainerConfigError(`couldn't find key ${key} in Secret ${pod.metadata?.namespace}/${name}`);
    return value === undefined ? undefined : decode(value);
  }
  if (from.fileKeyRef) {
    const { volumeName, path, key, optional } = from.fileKeyRef;
    const value = await input.fileKey?.(volumeName, path, key);
    if (value === undefined && !optional) throw new ContainerConfigError(`environment variable key "${key}" not found in file "${path}" of pod ${at}`);
    return value;
  }
  return expand(variable.value ?? '', lookup);
}

const decode = (base64: string) => Buffer.from(base64, 'base64').toString('utf8');
