import { qosClass } from '../../pod/qos-class.js';
import type { FieldError } from '../../field-error.js';
import type { Container, Pod, PodSpec, ResourceRequirements } from '../../generated/types.js';
import { deepEqual } from '../../util/deep-equal.js';
import { forbidden, invalid } from '../errors.js';
import { isMirror } from './mirror.js';

type Amounts = ResourceRequirements['limits'];

const LISTS = ['containers', 'initContainers'] as const;
const ONLY = 'only cpu and memory resources are mutable';

/** pods/resize: CPU and memory of containers, and of the pod as a whole, change; the QoS class and everything else stays. */
export function validatePodResize(pod: Pod, old: Pod): FieldError[] {
  if (isMirror(old)) return [forbidden('', 'static pods cannot be resized')];
  const [spec, before] = [pod.spec as PodSpec, old.spec as PodSpec];
  if (before.os?.name === 'windows') return [forbidden('', 'windows pods cannot be resized')];
  const errors: FieldError[] = [];
  const was = old.status?.qosClass ?? qosClass(old);
  if (qosClass(pod) !== was) errors.push(invalid('spec', was, 'Pod QOS Class may not change as a result of resizing'));
  const running = old.status?.containerStatuses?.find(({ state }) => state?.running);
  if (running && !running.resources) errors.push(forbidden('spec', 'Pod running on node without support for resize'));
  if (says(before.resources) || says(spec.resources)) errors.push(...validateOwn(spec.resources, before.resources));
  const moved = LISTS.flatMap((list) => validateOrder(list, spec[list] ?? [], before[list] ?? []));
  if (moved.length > 0) return [...errors, ...moved];
  for (const list of LISTS) {
    (spec[list] ?? []).forEach((container, index) => errors.push(...validateContainer(list, index, container, before[list]?.[index] as Container)));
  }
  if (errors.length > 0 || deepEqual(withOld(spec, before), before)) return errors;
  return [forbidden('spec', ONLY)];
}

const says = (resources: ResourceRequirements | undefined): boolean =>
  Object.keys(resources?.requests ?? {}).length + Object.keys(resources?.limits ?? {}).length > 0;

function validateOrder(list: (typeof LISTS)[number], now: readonly Container[], then: readonly Container[]): FieldError[] {
  if (now.length !== then.length) return [forbidden(`spec.${list}`, `${list} may not be added or removed on resize`)];
  return then.flatMap(({ name }, index) =>
    now[index]?.name === name ? [] : [forbidden(`spec.${list}[${index}].name`, `${list} may not be renamed or reordered on resize`)],
  );
}

function validateOwn(now: ResourceRequirements | undefined, then: ResourceRequirements | undefined): FieldError[] {
  if (then && !now) return [forbidden('spec.resources', 'pod-level resources cannot be removed')];
  const errors: FieldError[] = [];
  for (const kind of ['requests', 'limits'] as const)
    if (removed(now?.[kind], then?.[kind])) errors.push(forbidden(`spec.resources.${kind}`, `pod-level resource ${kind} cannot be removed`));
  if (!deepEqual(putBack(now, then), tidy(then))) errors.push(forbidden('spec', `${ONLY} at pod-level`));
  return errors;
}

function validateContainer(list: (typeof LISTS)[number], index: number, now: Container, then: Container): FieldError[] {
  const path = `spec.${list}[${index}]`;
  if (list === 'initContainers' && now.restartPolicy !== 'Always') {
    return deepEqual(now, then) ? [] : [forbidden('spec', 'resources for non-sidecar init containers are immutable')];
  }
  const errors: FieldError[] = [];
  for (const kind of ['requests', 'limits'] as const)
    if (removed(now.resources?.[kind], then.resources?.[kind])) errors.push(forbidden(`${path}.resources.${kind}`, `resource ${kind} cannot be removed`));
  const { resources: _now, ...rest } = now;
  const { resources: _then, ...oldRest } = then;
  if (!deepEqual(putBack(now.resources, then.resources), tidy(then.resources)) || !deepEqual(rest, oldRest))
    errors.push(list === 'containers' ? forbidden('spec', ONLY) : forbidden(path, 'only cpu and memory resources for sidecar containers are mutable'));
  return errors;
}

const removed = (now: Amounts, then: Amounts): boolean => Object.keys(then ?? {}).some((name) => now?.[name] === undefined);

/** With CPU and memory as they were. */
function putBack(now: ResourceRequirements | undefined, then: ResourceRequirements | undefined): ResourceRequirements {
  const back = (kind: 'requests' | 'limits'): Amounts => {
    const { cpu: _cpu, memory: _memory, ...rest } = now?.[kind] ?? {};
    const { cpu, memory } = then?.[kind] ?? {};
    return { ...rest, ...(cpu === undefined ? {} : { cpu }), ...(memory === undefined ? {} : { memory }) };
  };
  return tidy({ ...now, requests: back('requests'), limits: back('limits') });
}

/** Nothing said and an empty list or map are one. */
function tidy(resources: ResourceRequirements = {}): ResourceRequirements {
  return Object.fromEntries(Object.entries(resources).filter(([, value]) => Object.keys((value ?? {}) as object).length > 0));
}

/** The spec with what may have changed as it was. */
function withOld(spec: PodSpec, before: PodSpec): PodSpec {
  const { resources: _resources, ...rest } = spec;
  return {
    ...rest,
    ...(before.resources ? { resources: before.resources } : {}),
    containers: before.containers,
    ...(before.initContainers ? { initContainers: before.initContainers } : {}),
  };
}
