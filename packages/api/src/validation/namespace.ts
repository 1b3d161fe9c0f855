import type { FieldError } from '../field-error.js';
import type { Namespace } from '../generated/types.js';
import { each } from './common.js';
import { invalid, invalids } from './errors.js';
import { isQualifiedName } from './names.js';

export const validateNamespace = ({ spec }: Namespace): FieldError[] =>
  each(spec?.finalizers, 'spec.finalizers', (name, path) => {
    if (!name.includes('/') && name !== 'kubernetes') {
      return [invalid(path, name, 'name is neither a standard finalizer name nor is it fully qualified')];
    }
    return invalids(path, name, isQualifiedName(name));
  });

/** Terminating goes with a deletion, Active without. */
export function validateNamespaceStatusUpdate({ metadata, status }: Namespace, _old: Namespace): FieldError[] {
  if (metadata.deletionTimestamp) {
    return status?.phase === 'Terminating'
      ? []
      : [invalid('status.Phase', status?.phase ?? '', "may only be 'Terminating' if `deletionTimestamp` is not empty")];
  }
  return status?.phase === 'Active' ? [] : [invalid('status.Phase', status?.phase ?? '', "may only be 'Active' if `deletionTimestamp` is empty")];
}
