import type { FieldError } from '../../field-error.js';
import type { Affinity, Container, NodeAffinity, NodeSelectorTerm, Pod, PodSpec } from '../../generated/types.js';
import { deepEqual } from '../../util/deep-equal.js';
import { own } from '../../util/own.js';
import { forbidden, invalid, required } from '../errors.js';
import { rangeError } from '../names.js';
import type { Sink } from '../sink.js';
import { validatePodAnnotationUpdates } from './annotations.js';
import { addPadding } from './containers.js';
import { onlyAddsTolerations } from './scheduling.js';

const ALLOWED =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n';
const MAX_INT32 = 2147483647;

/** After creation only images, deadlines, added tolerations, lifted scheduling gates and, while there are some, where to run may change. */
export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  const spec = pod.spec as PodSpec;
  const before = old.spec as PodSpec;
  const sink: Sink = validatePodAnnotationUpdates(pod, old);
  for (const list of ['containers', 'initContainers'] as const) {
    if ((spec[list] ?? []).length !== (before[list] ?? []).length) {
      sink.push(forbidden(`spec.${list}`, 'pod updates may not add or remove containers'));
      return sink;
    }
    for (const [index, { image }] of (spec[list] ?? []).entries()) {
      if (!image) sink.push(required(`spec.${list}[${index}].image`));
      else addPadding(sink, `spec.${list}[${index}].image`, image);
    }
  }
  const { activeDeadlineSeconds: deadline } = spec;
  if (deadline !== undefined) {
    const wrong = wrongDeadline(deadline, before.activeDeadlineSeconds);
    if (wrong) return [...sink, invalid('spec.activeDeadlineSeconds', deadline, wrong)];
  } else if (before.activeDeadlineSeconds !== undefined) {
    sink.push(invalid('spec.activeDeadlineSeconds', undefined, 'must not update from a positive integer to nil value'));
  }
  if (!onlyAddsTolerations(spec.tolerations, before.tolerations)) {
    sink.push(forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'));
  }
  const gates = new Set((before.schedulingGates ?? []).map(({ name }) => name));
  for (const [index, { name }] of (spec.schedulingGates ?? []).entries()) {
    if (!gates.has(name)) sink.push(forbidden(`spec.schedulingGates[${index}].name`, `only deletion is allowed, but found new scheduling gate '${name}'`));
  }
  if (deepEqual(spec, before)) return sink;
  const gated = gates.size > 0;
  if (gated) addWhereToRun(sink, spec, before);
  if (!deepEqual(mask(spec, before, gated), mask(before, before, gated))) sink.push(forbidden('spec', ALLOWED));
  return sink;
}

function wrongDeadline(now: number, before: number | undefined): string | undefined {
  if (now < 0 || now > MAX_INT32) return rangeError(0, MAX_INT32);
  return before !== undefined && before < now ? 'must be less than or equal to previous value' : undefined;
}

/** A pod that is held back may be sent to fewer nodes than before, never to more. */
function addWhereToRun(sink: Sink, { nodeSelector = {}, affinity }: PodSpec, old: PodSpec): void {
  if (Object.entries(old.nodeSelector ?? {}).some(([key, value]) => own(nodeSelector, key) !== value)) {
    sink.push(invalid('spec.nodeSelector', nodeSelector, 'only additions to spec.nodeSelector are allowed (no mutations or deletions)'));
  }
  const termsOf = (from: NodeAffinity | undefined) => from?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const [terms, before] = [termsOf(affinity?.nodeAffinity), termsOf(old.affinity?.nodeAffinity)];
  const at = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms';
  if (before.length > 0 && before.length !== terms.length) {
    return void sink.push(invalid(at, terms, 'no additions/deletions to non-empty NodeSelectorTerms list are allowed'));
  }
  for (const [index, term] of before.entries()) {
    if (onlyAdds(terms[index] ?? {}, term)) continue;
    sink.push(invalid(`${at}[${index}]`, terms[index], 'only additions are allowed (no mutations or deletions)'));
  }
}

function onlyAdds(now: NodeSelectorTerm, before: NodeSelectorTerm): boolean {
  const [{ matchExpressions = [], matchFields = [] }, { matchExpressions: oldExpressions = [], matchFields: oldFields = [] }] = [now, before];
  // A term without requirements chooses nothing: with one it would choose more.
  if (oldExpressions.length + oldFields.length === 0) return matchExpressions.length + matchFields.length === 0;
  return deepEqual(matchExpressions.slice(0, oldExpressions.length), oldExpressions) && deepEqual(matchFields.slice(0, oldFields.length), oldFields);
}

/** The spec without what may change. */
function mask(spec: PodSpec, old: PodSpec, gated: boolean): object {
  const { activeDeadlineSeconds: _, tolerations: _tolerations, schedulingGates: _gates, ...rest } = spec;
  const grace = spec.terminationGracePeriodSeconds === 1 && (old.terminationGracePeriodSeconds ?? 0) < 0;
  return {
    ...rest,
    containers: spec.containers?.map(withoutImage) ?? [],
    initContainers: spec.initContainers?.map(withoutImage) ?? [],
    ...(grace && { terminationGracePeriodSeconds: old.terminationGracePeriodSeconds }),
    ...(gated && { nodeSelector: {}, affinity: withoutNodes(spec.affinity) }),
  };
}

const withoutImage = ({ image: _, ...container }: Container) => container;

/** Of no affinity but to nodes is none at all. */
function withoutNodes(affinity: Affinity | undefined): object {
  const { nodeAffinity: _, ...rest } = affinity ?? {};
  return rest;
}
