import { ApiError } from '@coxswain/apimachinery';
import type { AdmissionPlugin } from '@coxswain/sdk';
import { isFor, lookup } from '../admission-env.js';
import type { AdmissionEnv } from '../admission-env.js';
import { AdmissionOrder } from '../order.js';

/** Requests in a namespace that is missing find nothing; NamespaceLifecycle, which is there by default, says so only of new objects. */
export function namespaceExists(env: AdmissionEnv): AdmissionPlugin {
  return {
    name: 'NamespaceExists',
    order: AdmissionOrder.namespaceExists,
    handles: (request) =>
      (request.operation === 'CREATE' || request.operation === 'UPDATE' || request.operation === 'DELETE') &&
      request.namespace !== '' &&
      !isFor(request, '', 'namespaces', request.subresource),
    validate({ namespace }) {
      if (!lookup(env, '', 'namespaces', '', namespace)) throw ApiError.notFound({ group: '', resource: 'namespaces' }, namespace);
    },
  };
}
