import { qosClass } from '../../pod/qos-class.js';
import type { FieldError } from '../../field-error.js';
import type { Container, Pod, PodSpec } from '../../generated/types.js';
import { deepEqual } from '../../util/deep-equal.js';
import { forbidden, invalid } from '../errors.js';

const RESIZABLE = new Set(['cpu', 'memory']);

/** pods/resize: CPU and memory of containers change; the QoS class and everything else stays. */
export function validatePodResize(pod: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = [];
  if (qosClass(pod) !== (old.status?.qosClass ?? qosClass(old))) {
    errors.push(invalid('metadata', pod.metadata.name ?? '', 'Pod QOS Class may not change as a result of resizing'));
  }
  const before = old.spec as PodSpec;
  for (const list of ['containers', 'initContainers'] as const) {
    (pod.spec?.[list] ?? []).forEach((container, index) => {
      const path = `spec.${list}[${index}].resources`;
      const previous = before[list]?.[index];
      if (!previous) return;
      for (const kind of ['limits', 'requests'] as const) {
        const now = container.resources?.[kind] ?? {};
        const then = previous.resources?.[kind] ?? {};
        for (const name of new Set([...Object.keys(now), ...Object.keys(then)])) {
          if (now[name] === then[name]) continue;
          if (!RESIZABLE.has(name)) errors.push(forbidden(`${path}.${kind}`, 'only cpu and memory resources are mutable'));
          else if (now[name] === undefined) errors.push(forbidden(`${path}.${kind}`, `resource ${kind} cannot be removed`));
        }
      }
      if (list === 'initContainers' && container.restartPolicy !== 'Always' && !deepEqual(container.resources, previous.resources)) {
        errors.push(forbidden(`${path}`, 'resources for non-sidecar init containers are immutable'));
      }
    });
  }
  if (errors.length > 0 || deepEqual(bare(pod.spec as PodSpec), bare(before))) return errors;
  return [forbidden('spec', 'only cpu and memory resources for containers are mutable')];
}

function bare(spec: PodSpec): PodSpec {
  const { resources: _resources, ...rest } = spec;
  const strip = (list: Container[] | undefined) => list?.map(({ resources: _, resizePolicy: _policy, ...container }) => container as Container);
  return { ...rest, containers: strip(spec.containers) ?? [], initContainers: strip(spec.initContainers) ?? [] };
}
