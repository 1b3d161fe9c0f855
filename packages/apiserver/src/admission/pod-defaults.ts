import type { KubeObject } from '@coxswain/api';
import type { AdmissionPlugin, AdmissionRequest } from '@coxswain/sdk';
import { isFor, lookup, objects, refuse } from './admission-env.js';
import type { AdmissionEnv } from './admission-env.js';
import { AdmissionOrder } from './order.js';

const NOT_READY = 'node.kubernetes.io/not-ready';
const UNREACHABLE = 'node.kubernetes.io/unreachable';

interface Toleration {
  readonly key?: string;
  readonly operator?: string;
  readonly effect?: string;
  readonly tolerationSeconds?: number;
}

const creatingPod = (request: AdmissionRequest): boolean => request.operation === 'CREATE' && isFor(request, '', 'pods');

/** Pods stay five minutes on a node that is gone, unless they say otherwise; a writer who leaves these tolerations out gets them back. */
export function defaultTolerationSeconds({ notReady, unreachable } = { notReady: 300, unreachable: 300 }): AdmissionPlugin {
  const seconds = { [NOT_READY]: notReady, [UNREACHABLE]: unreachable };
  const tolerates = (toleration: Toleration, key: string) =>
    (toleration.key === key || !toleration.key) && (toleration.effect === 'NoExecute' || !toleration.effect);
  return {
    name: 'DefaultTolerationSeconds',
    order: AdmissionOrder.defaultTolerationSeconds,
    handles: (request) => isFor(request, '', 'pods') && (request.operation === 'CREATE' || request.operation === 'UPDATE'),
    admit({ object }) {
      if (!object?.spec) return;
      const tolerations = (object.spec.tolerations ?? []) as Toleration[];
      const added = Object.entries(seconds)
        .filter(([key]) => !tolerations.some((toleration) => tolerates(toleration, key)))
        .map(([key, tolerationSeconds]) => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds }));
      if (added.length > 0) object.spec.tolerations = [...tolerations, ...added];
    },
  };
}

/** Priority classes become numbers. */
export function priority(env: AdmissionEnv): AdmissionPlugin {
  return {
    name: 'Priority',
    order: AdmissionOrder.priority,
    handles: (request) =>
      creatingPod(request) ||
      (isFor(request, '', 'pods') && request.operation === 'UPDATE') ||
      (isFor(request, 'scheduling.k8s.io', 'priorityclasses') && request.operation !== 'DELETE'),
    admit(request) {
      const { object, oldObject } = request;
      if (!isFor(request, '', 'pods') || !object?.spec) return;
      if (request.operation === 'UPDATE') {
        // A pod written by somebody who does not know the computed fields keeps them.
        if (object.spec.priority === undefined && oldObject?.spec?.priority !== undefined) object.spec.priority = oldObject.spec.priority;
        if (object.spec.preemptionPolicy === undefined && oldObject?.spec?.preemptionPolicy !== undefined)
          object.spec.preemptionPolicy = oldObject.spec.preemptionPolicy;
        return;
      }
      const name = object.spec.priorityClassName as string | undefined;
      const found = name ? lookup(env, 'scheduling.k8s.io', 'priorityclasses', '', name) : globalDefault(env);
      if (name && !found) refuse(request, `no PriorityClass with name ${name} was found`);
      const value = (found?.value as number | undefined) ?? 0;
      const policy = (found?.preemptionPolicy as string | undefined) ?? 'PreemptLowerPriority';
      if (object.spec.priority !== undefined && object.spec.priority !== value)
        refuse(
          request,
          `the integer value of priority (${object.spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
        );
      if (object.spec.preemptionPolicy !== undefined && object.spec.preemptionPolicy !== policy)
        refuse(
          request,
          `the string value of PreemptionPolicy (${object.spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
        );
      if (!name && found?.metadata.name) object.spec.priorityClassName = found.metadata.name;
      object.spec.priority = value;
      object.spec.preemptionPolicy = policy;
    },
    validate(request) {
      const { object } = request;
      if (!isFor(request, 'scheduling.k8s.io', 'priorityclasses') || object?.globalDefault !== true) return;
      const other = globalDefault(env);
      if (other && other.metadata.name !== object.metadata.name)
        refuse(request, `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`);
    },
  };
}

function globalDefault(env: AdmissionEnv): KubeObject | undefined {
  let best: KubeObject | undefined;
  for (const candidate of objects(env, 'scheduling.k8s.io', 'priorityclasses')) {
    if (candidate.globalDefault === true && (!best || (candidate.value as number) < (best.value as number))) best = candidate;
  }
  return best;
}

/** The overhead of a runtime class, and its scheduling rules, become the pod's. */
export function runtimeClass(env: AdmissionEnv): AdmissionPlugin {
  return {
    name: 'RuntimeClass',
    order: AdmissionOrder.runtimeClass,
    handles: creatingPod,
    admit(request) {
      const spec = request.object?.spec;
      const name = spec?.runtimeClassName as string | undefined;
      if (!name) {
        if (spec?.overhead) refuse(request, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead');
        return;
      }
      const found = lookup(env, 'node.k8s.io', 'runtimeclasses', '', name);
      if (!found) refuse(request, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
      const fixed = found.overhead?.podFixed as object | undefined;
      if (spec.overhead && JSON.stringify(spec.overhead) !== JSON.stringify(fixed))
        refuse(request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
      if (fixed) spec.overhead = { ...fixed };
      const scheduling = found.scheduling as { nodeSelector?: Record<string, string>; tolerations?: object[] } | undefined;
      for (const [key, value] of Object.entries(scheduling?.nodeSelector ?? {})) {
        const own = (spec.nodeSelector ?? {}) as Record<string, string>;
        if (own[key] !== undefined && own[key] !== value)
          refuse(request, `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own[key]}`);
        spec.nodeSelector = { ...own, [key]: value };
      }
      if (scheduling?.tolerations?.length) spec.tolerations = [...((spec.tolerations as object[] | undefined) ?? []), ...scheduling.tolerations];
    },
  };
}
