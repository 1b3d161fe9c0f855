import type { FieldError } from '../../field-error.js';
import type { Container, EphemeralContainer, Pod, PodSpec, SeccompProfile } from '../../generated/types.js';
import { forbidden, invalid } from '../errors.js';
import { addDescendingPath } from '../paths.js';
import type { Sink } from '../sink.js';
import { MIRROR_ANNOTATION } from './mirror.js';
import { containersOf, visitContainers } from './visit.js';

type Annotations = Readonly<Record<string, string>>;

const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';
const SECCOMP_POD = 'seccomp.security.alpha.kubernetes.io/pod';
const SECCOMP_CONTAINER = 'container.seccomp.security.alpha.kubernetes.io/';
export const APPARMOR_CONTAINER = 'container.apparmor.security.beta.kubernetes.io/';
const LOCALHOST = 'localhost/';
const RUNTIME_DEFAULT = 'runtime/default';

/** The annotations of a pod that mean something to the API. */
export function addPodAnnotations(sink: Sink, field: string, annotations: Annotations | undefined, spec: PodSpec): void {
  if (!annotations) return;
  const mirror = annotations[MIRROR_ANNOTATION];
  if (mirror !== undefined && !spec.nodeName) {
    sink.push(invalid(`${field}[${MIRROR_ANNOTATION}]`, mirror, 'must set spec.nodeName if mirror pod annotation is set'));
  }
  const cost = annotations[DELETION_COST];
  if (cost !== undefined && !isInt32(cost)) sink.push(invalid(`${field}[${DELETION_COST}]`, cost, 'must be a 32bit integer'));
  for (const key in annotations) {
    const value = annotations[key] as string;
    if (key === SECCOMP_POD || key.startsWith(SECCOMP_CONTAINER)) addSeccompValue(sink, `${field}.${key}`, value);
    else if (key.startsWith(APPARMOR_CONTAINER)) addAppArmorValue(sink, `${field}[${key}]`, value, key.slice(APPARMOR_CONTAINER.length), spec);
  }
}

/** As upstream reads it: no plus, no zeros in front. */
const isInt32 = (text: string): boolean => /^(0|-?[1-9][0-9]*)$/.test(text) && Number(text) >= -2147483648 && Number(text) <= 2147483647;

function addSeccompValue(sink: Sink, field: string, value: string): void {
  if (value === RUNTIME_DEFAULT || value === 'docker/default' || value === 'unconfined') return;
  if (value.startsWith(LOCALHOST)) addDescendingPath(sink, field, value.slice(LOCALHOST.length));
  else sink.push(invalid(field, value, 'must be a valid seccomp profile'));
}

function addAppArmorValue(sink: Sink, field: string, value: string, container: string, spec: PodSpec): void {
  if (!containersOf(spec).some(({ name }) => name === container)) sink.push(invalid(field, container, 'container not found'));
  if (value === '' || value === RUNTIME_DEFAULT || value === 'unconfined' || value.startsWith(LOCALHOST)) return;
  sink.push(invalid(field, value, `invalid AppArmor profile name: ${JSON.stringify(value)}`));
}

/** Annotations that stand for a field have to say the same as the field. */
export function addMatchingAnnotations(sink: Sink, field: string, annotations: Annotations | undefined, spec: PodSpec): void {
  if (!annotations) return;
  let relevant = false;
  for (const key in annotations) relevant ||= key === SECCOMP_POD || key.startsWith(SECCOMP_CONTAINER) || key.startsWith(APPARMOR_CONTAINER);
  if (!relevant) return;
  addMismatch(sink, `${field}.securityContext.seccompProfile`, 'seccomp', annotations[SECCOMP_POD], spec.securityContext?.seccompProfile);
  const seccompOf = ({ securityContext }: Container | EphemeralContainer) => securityContext?.seccompProfile;
  visitContainers(spec, field, (container, path) => {
    addMismatch(sink, `${path}.securityContext.seccompProfile`, 'seccomp', annotations[SECCOMP_CONTAINER + container.name], seccompOf(container));
  });
  if (spec.os?.name === 'windows') return;
  visitContainers(spec, field, ({ name, securityContext }, path) => {
    const profile = securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile;
    addMismatch(sink, `${path}.securityContext.appArmorProfile`, 'apparmor', annotations[APPARMOR_CONTAINER + name], profile);
  });
}

function addMismatch(sink: Sink, field: string, what: 'seccomp' | 'apparmor', annotation: string | undefined, profile: SeccompProfile | undefined): void {
  if (annotation === undefined || !profile) return;
  const { type, localhostProfile } = profile;
  const local = annotation.startsWith(LOCALHOST);
  const same =
    (type === 'Unconfined' && annotation === 'unconfined') ||
    (type === 'RuntimeDefault' && (annotation === RUNTIME_DEFAULT || (what === 'seccomp' && annotation === 'docker/default'))) ||
    (type === 'Localhost' && local);
  if (!same) sink.push(forbidden(`${field}.type`, `${what} type in annotation and field must match`));
  else if (local && annotation.slice(LOCALHOST.length) !== localhostProfile) {
    sink.push(forbidden(`${field}.localhostProfile`, `${what} profile in annotation and field must match`));
  }
}

/** Annotations that are made with the pod and stay. */
export function validatePodAnnotationUpdates({ metadata: { annotations: now = {} } }: Pod, { metadata: { annotations: before = {} } }: Pod): FieldError[] {
  const errors: FieldError[] = [];
  const at = (key: string) => `metadata.annotations[${key}]`;
  for (const [key, value] of Object.entries(before)) {
    if (now[key] === value) continue;
    if (key.startsWith(APPARMOR_CONTAINER)) errors.push(forbidden(at(key), 'may not remove or update AppArmor annotations'));
    if (key === MIRROR_ANNOTATION) errors.push(forbidden(at(key), 'may not remove or update mirror pod annotation'));
  }
  for (const key of Object.keys(now)) {
    if (before[key] !== undefined) continue;
    if (key.startsWith(APPARMOR_CONTAINER)) errors.push(forbidden(at(key), 'may not add AppArmor annotations'));
    if (key === MIRROR_ANNOTATION) errors.push(forbidden(at(key), 'may not add mirror pod annotation'));
  }
  return errors;
}
