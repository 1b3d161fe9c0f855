import type { JsonObject, KubeObject } from '@coxswain/api';
import { decode } from '@coxswain/api';
import { ApiError, AppliedTypeError } from '@coxswain/apimachinery';
import type { RequestContext } from '../request/request-context.js';
import type { ServedResource } from '../registry/served-resource.js';
import type { FieldValidation } from './write-options.js';

/** Problems that are named; the rest go without saying. */
const MAX_REPORTED = 100;

export interface ShapeOptions {
  readonly validation: FieldValidation;
  /** Members given twice in the text. */
  readonly duplicates?: readonly string[];
  /** The same in YAML, as its parser says it. */
  readonly yamlProblem?: string | undefined;
  /** A configuration to apply stays as sparse as it came. */
  readonly sparse?: boolean;
}

/**
 * Hold an object to its type, in place: wrong types are refused with 400; fields nobody knows are dropped and, by `validation`,
 * refused, warned about or passed over; quantities and times become canonical.
 */
export function checkShape(
  context: RequestContext,
  served: ServedResource,
  object: KubeObject,
  { validation, duplicates = [], yamlProblem, sparse = false }: ShapeOptions,
): void {
  const { definition, lookup } = served;
  const {
    errors,
    unknown,
    untyped = [],
  } = served.shape ? served.shape(object, sparse) : decode(object as JsonObject, definition.schema, { lookup, applied: sparse });
  // Whoever applies a field would own it: one that nobody knows cannot be owned, whatever the field validation.
  if (untyped.length > 0) throw new AppliedTypeError(subjectOf(context, served), untyped.slice(0, MAX_REPORTED));
  if (errors.length > 0) throw refused(served, errors[0] as string);
  if (validation === 'Ignore' || (unknown.length === 0 && duplicates.length === 0 && yamlProblem === undefined)) return;
  const problems = [
    ...(yamlProblem === undefined ? [] : [yamlProblem]),
    ...unknown,
    ...duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`),
  ].slice(0, MAX_REPORTED);
  if (validation === 'Strict') throw refused(served, `strict decoding error: ${problems.join(', ')}`);
  for (const problem of problems) context.warn(problem);
}

const subjectOf = ({ resource }: RequestContext, { codec, definition }: ServedResource): string =>
  `${resource.namespace}/${resource.name}; ${codec.apiVersion}, Kind=${definition.kind}`;

function refused({ definition: { version, kind } }: ServedResource, why: string): ApiError {
  return ApiError.badRequest(`${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${why}`);
}
