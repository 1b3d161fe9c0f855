import type { FieldError } from '../field-error.js';
import type { LocalSubjectAccessReview, SelfSubjectAccessReview, SubjectAccessReview, SubjectAccessReviewSpec } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { invalid, required } from './errors.js';

type Attributes = Pick<SubjectAccessReviewSpec, 'resourceAttributes' | 'nonResourceAttributes'>;

function validateAttributes({ resourceAttributes, nonResourceAttributes }: Attributes): FieldError[] {
  if (resourceAttributes && nonResourceAttributes) {
    return [invalid('spec.nonResourceAttributes', nonResourceAttributes, 'cannot be specified in combination with resourceAttributes')];
  }
  if (!resourceAttributes && !nonResourceAttributes) {
    return [invalid('spec.resourceAttributes', null, 'exactly one of nonResourceAttributes or resourceAttributes must be specified')];
  }
  return [];
}

export function validateSubjectAccessReview({ metadata, spec }: SubjectAccessReview): FieldError[] {
  const errors = validateAttributes(spec);
  if (!spec.user && (spec.groups ?? []).length === 0) errors.push(invalid('spec.user', spec.user ?? '', 'at least one of user or group must be specified'));
  return [...errors, ...emptyMetadata(metadata)];
}

export function validateLocalSubjectAccessReview(review: LocalSubjectAccessReview): FieldError[] {
  const { spec, metadata } = review;
  const { namespace, ...rest } = metadata;
  const errors = validateSubjectAccessReview({ ...review, metadata: rest });
  if (spec.resourceAttributes && spec.resourceAttributes.namespace !== namespace) {
    errors.push(invalid('spec.resourceAttributes.namespace', spec.resourceAttributes.namespace ?? '', 'must match metadata.namespace'));
  }
  if (spec.nonResourceAttributes) errors.push(invalid('spec.nonResourceAttributes', spec.nonResourceAttributes, 'disallowed on this kind of request'));
  return errors;
}

export const validateSelfSubjectAccessReview = ({ metadata, spec }: SelfSubjectAccessReview): FieldError[] => [
  ...(spec ? validateAttributes(spec) : [required('spec')]),
  ...emptyMetadata(metadata),
];

function emptyMetadata(metadata: SubjectAccessReview['metadata']): FieldError[] {
  const { managedFields: _, creationTimestamp: _time, ...rest } = metadata;
  return deepEqual(rest, {}) ? [] : [invalid('metadata', metadata, 'must be empty except for managedFields')];
}
