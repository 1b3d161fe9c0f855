import type { KubeObject } from '@coxswain/api';
import { ApiError } from '@coxswain/apimachinery';
import { parseYaml } from '../request/decode-body.js';
import type { RequestContext } from '../request/request-context.js';
import { checkName } from './object-meta.js';
import type { WriteOptions } from './write-options.js';

/** What an apply request asks for, and for whom. Its kind and version are still to be checked. */
export interface Configuration {
  readonly manager: string;
  readonly applied: KubeObject;
}

/** The body of an apply request. Throws 422 without a manager, 400 for what is no object, has no kind, or is meant for another name. */
export function readConfiguration(context: RequestContext, body: Buffer, options: WriteOptions): Configuration {
  const manager = context.query.get('fieldManager') ?? '';
  if (manager === '') {
    throw ApiError.invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
      { type: 'FieldValueRequired', field: 'fieldManager', message: 'Required value: is required for apply patch' },
    ]);
  }
  const { value: configuration, duplicate } = parseYaml(body);
  if (duplicate !== undefined && options.fieldValidation === 'Strict')
    throw ApiError.badRequest(`error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  ${duplicate}`);
  if (duplicate !== undefined && options.fieldValidation === 'Warn') context.warn(duplicate);
  if (typeof configuration !== 'object' || configuration === null || Array.isArray(configuration))
    throw ApiError.badRequest('error decoding YAML: the document is not an object');
  const applied = configuration as KubeObject;
  if (!applied.kind || !applied.apiVersion) throw ApiError.badRequest(`Object 'Kind' is missing in ${JSON.stringify(body.toString().slice(0, 200))}`);
  applied.metadata ??= {};
  const { name } = applied.metadata;
  // Of another type than a string: the check of shapes says so.
  if (typeof name === 'string' && name !== '') checkName(name, context.resource.name);
  return { manager, applied };
}
