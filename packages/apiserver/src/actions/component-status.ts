import { ApiError } from '@coxswain/apimachinery';
import type { StateStore } from '@coxswain/sdk';
import { negotiate } from '../request/accept.js';
import { encoded, respondRows } from '../rest/respond.js';
import type { RestEnv } from '../rest/rest-env.js';
import type { ActionHandler } from '../rest/resource-handler.js';

/** The old componentstatuses: the store is the only component the API server can tell about. */
export function componentStatusAction(env: RestEnv, store: StateStore): ActionHandler {
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
    const accepted = negotiate(context.request.headers.accept as string | undefined, { tables: true, partial: false, protobuf: true });
    if (accepted.as === 'Table' && (verb === 'list' || name === item.metadata.name)) {
      return respondRows(env, context, served.definition, [item], {}, accepted);
    }
    if (verb === 'list') return encoded(context, 200, { kind: 'ComponentStatusList', apiVersion: 'v1', metadata: {}, items: [item] }, accepted);
    if (verb !== 'get') throw ApiError.methodNotSupported(served.groupResource, verb);
    if (name !== item.metadata.name) throw ApiError.notFound(served.groupResource, name);
    return encoded(context, 200, item, accepted);
  };
}
