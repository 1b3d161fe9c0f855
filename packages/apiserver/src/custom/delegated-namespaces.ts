import type { Namespace } from '@coxswain/api';
import { ApiError, isNotFound } from '@coxswain/apimachinery';
import type { KubeClient } from '@coxswain/client';
import type { AdmissionPlugin, Clock } from '@coxswain/sdk';
import { AdmissionOrder } from '../admission/order.js';
import { TimedCache } from '../auth/webhook/timed-cache.js';

const TTL_MS = 5000;

/** NamespaceLifecycle of a server that has no namespaces of its own: the primary is asked, and its answer holds for a few seconds. */
export function delegatedNamespaces(client: KubeClient, clock: Clock): AdmissionPlugin {
  const cache = new TimedCache<Namespace>(clock);
  return {
    name: 'NamespaceLifecycle',
    order: AdmissionOrder.namespaceLifecycle,
    handles: ({ operation, namespace }) => namespace !== '' && operation === 'CREATE',
    async admit({ namespace, resource, name }) {
      const found =
        cache.get(namespace) ??
        (await cache
          .ask(
            namespace,
            () => client.api.namespaces().get(namespace),
            ({ status }) => (status?.phase === 'Terminating' ? 0 : TTL_MS),
          )
          .catch((error: unknown) => {
            throw isNotFound(error) ? ApiError.notFound({ group: '', resource: 'namespaces' }, namespace) : error;
          }));
      if (found.status?.phase !== 'Terminating') return;
      const { group } = resource;
      throw ApiError.forbidden(
        { group, resource: resource.resource },
        name,
        `unable to create new content in namespace ${namespace} because it is being terminated`,
      );
    },
  };
}
