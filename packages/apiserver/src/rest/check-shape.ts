import type { KubeObject } from '@coxswain/api';
import type { RequestContext } from '../request/request-context.js';
import type { ServedResource } from '../registry/served-resource.js';
import type { FieldValidation } from './write-options.js';

/** Types of fields, and fields nobody knows. */
export function checkShape(_context: RequestContext, _served: ServedResource, _object: KubeObject, _duplicates: readonly string[], _validation: FieldValidation): void {}
