import { ApiError } from '@coxswain/apimachinery';
import type { StateStore } from '@coxswain/sdk';
import { respondKind } from '../rest/respond.js';
import type { ActionHandler } from '../rest/resource-handler.js';

/** The old componentstatuses: the store is the only component the API server can tell about. */
export function componentStatusAction(store: StateStore): ActionHandler {
  return async (context, served) => {
    const { verb } = context.info;
    const { name } = context.resource;
    const status = await store.status();
    const item = {
      kind: 'ComponentStatus',
      apiVersion: 'v1',
      metadata: { name: 'etcd-0' },
      conditions: [{ type: 'Healthy', status: status.healthy ? 'True' : 'False', message: status.message ?? (status.healthy ? 'ok' : 'unhealthy') }],
    };
    if (verb === 'list') return respondKind(context, 200, { kind: 'ComponentStatusList', apiVersion: 'v1', metadata: {}, items: [item] });
    if (verb !== 'get') throw ApiError.methodNotSupported(served.groupResource, verb);
    if (name !== item.metadata.name) throw ApiError.notFound(served.groupResource, name);
    return respondKind(context, 200, item);
  };
}
