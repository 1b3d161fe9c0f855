import type { KubeObject, Subresource } from '@coxswain/api';
import { ApiError } from '@coxswain/apimachinery';
import type { RequestContext } from '../request/request-context.js';
import type { ServedResource } from '../registry/served-resource.js';
import type { RestEnv } from './rest-env.js';
import type { WriteResult } from './write-result.js';

export async function patch(
  _env: RestEnv,
  _context: RequestContext,
  _served: ServedResource,
  _sub: Extract<Subresource, { type: 'status' | 'part' }> | undefined,
): Promise<WriteResult> {
  throw ApiError.methodNotSupported({ group: '', resource: '' }, 'patch');
}

export function applyPatch(_context: RequestContext, _served: ServedResource | undefined, _current: KubeObject, _body: Buffer): KubeObject {
  throw ApiError.methodNotSupported({ group: '', resource: '' }, 'patch');
}
