import type { KubeObject, ResourceStrategy } from '../definition.js';
import { dropGatedFields, type GatedFields } from '../gates/gated-fields.js';
import type { FieldError } from '../field-error.js';
import { each } from '../validation/common.js';
import { validateKubeFinalizer } from '../validation/finalizers.js';
import { validateObjectMeta, validateObjectMetaUpdate } from '../validation/object-meta.js';
import { deepEqual } from '../util/deep-equal.js';

/** The rules of a kind; what is common to all kinds is added by `strategyOf`. */
export interface StrategyParts extends ResourceStrategy {
  /** On create, and with `old` on update: what was allowed when that was written may stay. */
  readonly validate?: (object: KubeObject, old?: KubeObject) => FieldError[];
  /** What holds for a new object only. */
  readonly validateNew?: (object: KubeObject) => FieldError[];
  /** The object has a status, which only the status subresource writes. */
  readonly hasStatus?: boolean;
  /** A create may bring the status along (nodes). */
  readonly keepsStatusOnCreate?: boolean;
  /** `metadata.generation` counts the changes of these top-level fields. Absent: the kind has no generation. */
  readonly generationOf?: readonly string[];
  /** It counts the changes of these too. */
  readonly generationOfMeta?: 'annotations' | 'labels';
  /** A new status as upstream writes it: a struct that is never left out, with the zeros that are never left out. */
  readonly emptyStatus?: () => unknown;
  /** Fields that are dropped, as their gates are off. */
  readonly gatedFields?: readonly GatedFields[];
}

/** The rules of a status of a kind. */
export type StatusStrategy = Pick<StrategyParts, keyof ResourceStrategy>;

/** Adds metadata validation (not for virtual kinds), the status reset and the generation count to a kind's own rules. */
export function strategyOf(namespaced: boolean, parts: StrategyParts, virtual = false): ResourceStrategy {
  const { hasStatus = false, keepsStatusOnCreate = false, generationOf, generationOfMeta, emptyStatus, gatedFields = [], validateNew, ...own } = parts;
  const whole = validation(namespaced, own, virtual);
  return {
    allowUnconditionalUpdate: true,
    ...own,
    prepareForCreate(object, context) {
      if (hasStatus && !keepsStatusOnCreate) resetStatus(object, emptyStatus?.());
      if (generationOf) object.metadata.generation = 1;
      dropGatedFields(gatedFields, object, undefined);
      own.prepareForCreate?.(object, context);
    },
    prepareForUpdate(object, old, context) {
      if (hasStatus) restore(object, old, 'status');
      dropGatedFields(gatedFields, object, old);
      own.prepareForUpdate?.(object, old, context);
      keepGeneration(object, old);
      const counts = generationOfMeta && !deepEqual(object.metadata[generationOfMeta] ?? {}, old.metadata[generationOfMeta] ?? {});
      if (counts || generationOf?.some((field) => !deepEqual(object[field], old[field]))) bumpGeneration(object, old);
    },
    ...whole,
    validate: (object) => [...whole.validate(object), ...(validateNew?.(object) ?? [])],
  };
}

/** What extends Kubernetes is checked by the general rules alone. */
const GENERAL = new Set(['admissionregistration.k8s.io', 'apiextensions.k8s.io', 'apiregistration.k8s.io', 'coordination.k8s.io']);

function validateFinalizers({ apiVersion, metadata: { finalizers } }: KubeObject): FieldError[] {
  if (!finalizers || finalizers.length === 0 || GENERAL.has(apiVersion.split('/')[0] ?? '')) return [];
  return each(finalizers, 'metadata.finalizers', validateKubeFinalizer);
}

/** The metadata's rules and the kind's own. */
function validation(namespaced: boolean, own: Pick<StrategyParts, 'validate' | 'validateUpdate' | 'validateName'>, virtual = false) {
  const rules = { namespaced, ...(own.validateName && { validateName: own.validateName }) };
  const whole = (object: KubeObject, old?: KubeObject) => [
    ...(virtual ? [] : [...validateObjectMeta(object, rules), ...validateFinalizers(object)]),
    ...(own.validate?.(object, old) ?? []),
  ];
  return {
    updateIsWhole: true,
    validate: (object: KubeObject) => whole(object),
    validateUpdate: (object: KubeObject, old: KubeObject) => [
      ...whole(object, old),
      ...validateObjectMetaUpdate(object, old),
      ...(own.validateUpdate?.(object, old) ?? []),
    ],
  };
}

/** Rules of a status subresource: everything but the status, and what else `prepare` lets through, stays as stored. */
export function statusStrategyOf(namespaced: boolean, own: StatusStrategy = {}, gatedFields: readonly GatedFields[] = []): ResourceStrategy {
  return {
    allowUnconditionalUpdate: true,
    ...own,
    prepareForUpdate(object, old, context) {
      for (const field of new Set([...Object.keys(object), ...Object.keys(old)])) {
        if (field !== 'status' && field !== 'metadata') restore(object, old, field);
      }
      keepGeneration(object, old);
      dropGatedFields(gatedFields, object, old);
      own.prepareForUpdate?.(object, old, context);
    },
    ...validation(namespaced, own),
  };
}

function resetStatus(object: KubeObject, status: unknown): void {
  if (status === undefined) delete object.status;
  else object.status = status;
}

/** Rules of a subresource that writes a part of the object. */
export const partStrategyOf = (own: ResourceStrategy, gatedFields: readonly GatedFields[]): ResourceStrategy => ({
  ...own,
  prepareForUpdate(object, old, context) {
    dropGatedFields(gatedFields, object, old);
    own.prepareForUpdate?.(object, old, context);
  },
});

/** Sets a top-level field back to what is stored. */
export function restore(object: KubeObject, old: KubeObject, field: string): void {
  if (old[field] === undefined) delete object[field];
  else object[field] = old[field];
}

function keepGeneration(object: KubeObject, old: KubeObject): void {
  if (old.metadata.generation === undefined) delete object.metadata.generation;
  else object.metadata.generation = old.metadata.generation;
}

export function bumpGeneration(object: KubeObject, old: KubeObject): void {
  object.metadata.generation = (old.metadata.generation ?? 0) + 1;
}
