import { ApiError } from '@coxswain/apimachinery';
import type { ApiAction, ApiActionRequest, ApiKind } from '@coxswain/sdk';
import type { ServedResource } from '../registry/served-resource.js';
import { decodeBody } from '../request/decode-body.js';
import type { RequestContext } from '../request/request-context.js';
import { respondKind } from '../rest/respond.js';
import type { ActionHandler } from '../rest/resource-handler.js';
import type { ResourceStorage } from '../storage/resource-storage.js';
import { callOf } from './handled-storage.js';

/** The handlers of all kinds' own subresources, by `plural/name`; `kindOf` tells versions of one plural apart. */
export function customActions(kinds: readonly ApiKind[], kindOf: (served: ServedResource) => ApiKind | undefined): ReadonlyMap<string, ActionHandler> {
  const actions = new Map<string, ActionHandler>();
  for (const { plural, actions: declared = [] } of kinds) {
    for (const { name } of declared) {
      actions.set(`${plural}/${name}`, (context, served) => {
        const action = kindOf(served)?.actions?.find((each) => each.name === name);
        const method = (context.request.method === 'HEAD' ? 'GET' : context.request.method) as ApiActionRequest['method'];
        if (!action?.methods.includes(method)) throw ApiError.methodNotSupported(served.groupResource, context.info.verb);
        return run(action, method, context, served);
      });
    }
  }
  return actions;
}

async function run(action: ApiAction, method: ApiActionRequest['method'], context: RequestContext, served: ServedResource) {
  const { namespace, name } = context.resource;
  const found = served.source
    ? await served.source.get(context, served)
    : ((served.storage as ResourceStorage).cache.get(namespace, name) ?? (await (served.storage as ResourceStorage).fresh(namespace, name)));
  if (!found) throw ApiError.notFound(served.groupResource, name);
  const body = await context.request.body();
  const answer = await action.handle({
    ...callOf(context),
    signal: context.request.signal,
    object: structuredClone(served.codec.object(found)),
    method,
    query: context.query,
    body: body.length === 0 ? undefined : decodeBody(body, context.request.headers['content-type']).value,
  });
  return respondKind(context, method === 'POST' ? 201 : 200, answer);
}
