import { ApiError } from '@coxswain/apimachinery';
import type { AdmissionPlugin } from '@coxswain/sdk';
import { lookup, nameOf } from './admission-env.js';
import type { AdmissionEnv } from './admission-env.js';
import { AdmissionOrder } from './order.js';

const IMMORTAL = new Set(['default', 'kube-system', 'kube-public']);
/** Reviews ask about namespaces that need not exist. */
const UNBOUND = new Set(['localsubjectaccessreviews']);

/** Nothing is made in a namespace that is missing or going away; the system's own namespaces stay. */
export function namespaceLifecycle(env: AdmissionEnv): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    order: AdmissionOrder.namespaceLifecycle,
    handles: ({ operation }) => operation === 'CREATE' || operation === 'UPDATE' || operation === 'DELETE',
    admit(request) {
      const { resource, operation, namespace, name } = request;
      const isNamespace = resource.group === '' && resource.resource === 'namespaces';
      if (isNamespace && operation === 'DELETE' && IMMORTAL.has(name)) {
        throw ApiError.forbidden({ group: '', resource: 'namespaces' }, name, 'this namespace may not be deleted');
      }
      if (namespace === '' || isNamespace || operation === 'DELETE' || UNBOUND.has(resource.resource)) return;
      const found = lookup(env, '', 'namespaces', '', namespace);
      if (!found) throw ApiError.notFound({ group: '', resource: 'namespaces' }, namespace);
      if (operation !== 'CREATE' || found.status?.phase !== 'Terminating') return;
      const error = ApiError.forbidden(
        { group: resource.group, resource: resource.resource },
        nameOf(request),
        `unable to create new content in namespace ${namespace} because it is being terminated`,
      );
      throw new ApiError({
        ...error.status,
        details: {
          ...error.status.details,
          causes: [{ reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' }],
        },
      });
    },
  };
}
