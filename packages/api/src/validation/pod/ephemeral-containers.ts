import type { FieldError } from '../../field-error.js';
import type { EphemeralContainer, Pod } from '../../generated/types.js';
import { deepEqual } from '../../util/deep-equal.js';
import { duplicate, forbidden, notFound } from '../errors.js';
import type { Sink } from '../sink.js';
import { addContainer, type PodScope } from './containers.js';
import { isMirror } from './mirror.js';

const FORBIDDEN = [
  'ports',
  'resources',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
] as const;
const NOT_EPHEMERAL = 'cannot be set for an Ephemeral Container';

export function addEphemeralContainers(sink: Sink, field: string, scope: PodScope): void {
  const { containers = [], initContainers = [], ephemeralContainers } = scope.spec;
  if (!ephemeralContainers || ephemeralContainers.length === 0) return;
  const targets = new Set([...containers, ...initContainers].map(({ name }) => name));
  const names = new Set(targets);
  for (const [index, container] of ephemeralContainers.entries()) {
    const at = `${field}[${index}]`;
    addContainer(sink, at, container, scope);
    if (names.has(container.name)) sink.push(duplicate(`${at}.name`, container.name));
    names.add(container.name);
    const target = container.targetContainerName;
    if (target && !targets.has(target)) sink.push(notFound(`${at}.targetContainerName`, target));
    for (const key of FORBIDDEN) if (isSet(container[key])) sink.push(forbidden(`${at}.${key}`, NOT_EPHEMERAL));
    for (const [which, { subPath, subPathExpr }] of (container.volumeMounts ?? []).entries()) {
      if (subPath) sink.push(forbidden(`${at}.volumeMounts[${which}].subPath`, NOT_EPHEMERAL));
      if (subPathExpr) sink.push(forbidden(`${at}.volumeMounts[${which}].subPathExpr`, NOT_EPHEMERAL));
    }
  }
}

const isSet = (value: unknown): boolean => value !== undefined && !deepEqual(value, {}) && !deepEqual(value, []);

/** Ephemeral containers are only ever added, and to pods that the API server made. */
export function validateEphemeralContainersUpdate(pod: Pod, old: Pod): FieldError[] {
  if (isMirror(old)) return [forbidden('', 'static pods do not support ephemeral containers')];
  const now = new Map((pod.spec?.ephemeralContainers ?? []).map((container): [string, EphemeralContainer] => [container.name, container]));
  return (old.spec?.ephemeralContainers ?? []).flatMap((container) => {
    const kept = now.get(container.name);
    if (kept && deepEqual(kept, container)) return [];
    const what = kept ? 'changed' : 'removed';
    return [forbidden('spec.ephemeralContainers', `existing ephemeral containers ${JSON.stringify(container.name)} may not be ${what}\n`)];
  });
}
