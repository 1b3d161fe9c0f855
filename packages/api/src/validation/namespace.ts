import type { FieldError } from '../field-error.js';
import type { Namespace } from '../generated/types.js';
import { each } from './common.js';
import { invalid } from './errors.js';
import { validateFinalizer } from './finalizers.js';

export const validateNamespace = ({ spec }: Namespace): FieldError[] => (spec?.finalizers ?? []).flatMap((name) => validateFinalizer(name, 'spec.finalizers'));

/** namespaces/finalize. */
export const validateNamespaceFinalize = ({ spec }: Namespace): FieldError[] => each(spec?.finalizers, 'spec.finalizers', validateFinalizer);

/** Terminating goes with a deletion, Active without. */
export function validateNamespaceStatusUpdate({ metadata, status }: Namespace, _old: Namespace): FieldError[] {
  if (metadata.deletionTimestamp) {
    return status?.phase === 'Terminating'
      ? []
      : [invalid('status.Phase', status?.phase ?? '', "may only be 'Terminating' if `deletionTimestamp` is not empty")];
  }
  return status?.phase === 'Active' ? [] : [invalid('status.Phase', status?.phase ?? '', "may only be 'Active' if `deletionTimestamp` is empty")];
}
