import type { KubeObject, Subresource, Verb } from '@coxswain/api';
import { PROTOBUF_CONTENT_TYPE } from '@coxswain/api';
import { ApiError, successStatus } from '@coxswain/apimachinery';
import { notFoundPage } from '../api-handler.js';
import type { ApiResponse, StreamSink } from '../request/api-request.js';
import { negotiate } from '../request/accept.js';
import type { Accepted } from '../request/accept.js';
import type { RequestContext } from '../request/request-context.js';
import type { ServedResource } from '../registry/served-resource.js';
import type { ResourceStorage } from '../storage/resource-storage.js';
import { convertingSink, pendingEncoder } from './converting-watch.js';
import { create } from './create.js';
import { remove } from './delete.js';
import { removeCollection } from './delete-collection.js';
import { parseDeleteOptions } from './delete-options.js';
import { decodeObject } from './decode-object.js';
import { list } from './list.js';
import { parseListOptions, parseResourceVersion } from './list-options.js';
import { patch } from './patch.js';
import { readScale, writeScale } from './scale.js';
import { mergeWritten, strategyOf } from './subresource-rules.js';
import { returnsDeleted } from './returns-deleted.js';
import { respondKind, respondList, respondObject, respondStored, watchEncoderFor } from './respond.js';
import type { RestEnv } from './rest-env.js';
import { update } from './update.js';
import { waitForRevision } from './wait-for-revision.js';
import { watch } from './watch.js';
import { parseWriteOptions } from './write-options.js';
import type { WriteResult } from './write-result.js';

/** A handler for what has rules of its own: binding, eviction, token, log, reviews. */
export type ActionHandler = (context: RequestContext, served: ServedResource) => Promise<ApiResponse> | ApiResponse;

export interface ResourceHandlerOptions {
  readonly env: RestEnv;
  /** By `resource/subresource` (`pods/binding`) or the name a virtual resource gives. */
  readonly actions: ReadonlyMap<string, ActionHandler>;
  /** Requests for groups that other servers answer (APIService). Undefined: not mine. */
  readonly delegate?: (context: RequestContext) => Promise<ApiResponse> | ApiResponse | undefined;
}

/** Resource requests: finds the definition, checks that it offers the verb, and runs the generic machinery on it. */
export class ResourceHandler {
  constructor(readonly options: ResourceHandlerOptions) {}

  handle(context: RequestContext): Promise<ApiResponse> | ApiResponse {
    const { group, version, resource, subresource } = context.resource;
    const delegated = this.options.delegate?.(context);
    if (delegated) return delegated;
    const served = this.options.env.registry.find(group, version, resource);
    if (!served) return notFoundPage();
    if (
      served.definition.namespaced &&
      context.resource.namespace === '' &&
      context.resource.name !== '' &&
      context.info.verb !== 'list' &&
      context.info.verb !== 'watch' &&
      context.info.verb !== 'deletecollection'
    )
      return notFoundPage();
    if (!served.definition.namespaced && context.resource.namespace !== '') return notFoundPage();
    if (served.definition.deprecated !== undefined) context.warn(served.definition.deprecated);
    if (served.definition.virtual) return this.#action(served.definition.virtual, context, served);
    return subresource === '' ? this.#main(context, served) : this.#sub(context, served, subresource);
  }

  #action(name: string, context: RequestContext, served: ServedResource): Promise<ApiResponse> | ApiResponse {
    const action = this.options.actions.get(name);
    if (!action) throw ApiError.methodNotSupported(served.groupResource, context.info.verb);
    return action(context, served);
  }

  #main(context: RequestContext, served: ServedResource): Promise<ApiResponse> | ApiResponse {
    const { env } = this.options;
    const { verb } = context.info;
    if (!served.definition.verbs.includes(verb as Verb)) throw ApiError.methodNotSupported(served.groupResource, verb);
    switch (verb as Verb) {
      case 'get':
        return this.#get(context, served);
      case 'list':
        return this.#list(context, served);
      case 'watch':
        return this.#watch(context, served);
      case 'create':
        return this.#create(context, served);
      case 'update':
        return this.#update(context, served);
      case 'patch':
        return this.#patch(context, served, undefined);
      case 'delete':
        return this.#delete(context, served);
      case 'deletecollection':
        return this.#deleteCollection(context, served, env);
    }
  }

  #sub(context: RequestContext, served: ServedResource, name: string): Promise<ApiResponse> | ApiResponse {
    const found = served.definition.subresources.find((sub) => (sub.type === 'status' || sub.type === 'scale' ? sub.type : sub.name) === name);
    if (!found) return notFoundPage();
    const { verb } = context.info;
    switch (found.type) {
      case 'action':
        return this.#action(`${served.definition.resource}/${name}`, context, served);
      case 'scale':
        if (verb === 'get') return readScale(this.options.env, context, served, found);
        if (verb === 'update' || verb === 'patch') return writeScale(this.options.env, context, served, found);
        break;
      case 'status':
      case 'part':
        if (found.type === 'part' && !found.verbs.includes(verb as Verb)) break;
        if (verb === 'get') return this.#get(context, served);
        if (verb === 'update') return this.#update(context, served, found);
        if (verb === 'patch') return this.#patch(context, served, found);
    }
    throw ApiError.methodNotSupported(served.groupResource, verb);
  }

  #get(context: RequestContext, served: ServedResource): Promise<ApiResponse> | ApiResponse {
    const accepted = accept(context, served);
    if (served.source) {
      const found = served.source.get(context, served);
      return found.then((object) => respondStored(this.options.env, context, served, object, 200, accepted));
    }
    const asked = parseResourceVersion(context.query.get('resourceVersion') ?? '');
    if (asked) return waitForRevision(this.options.env, asked).then(() => this.#found(context, served, accepted));
    const barrier = this.options.env.feed.barrier();
    return barrier ? barrier.then(() => this.#found(context, served, accepted)) : this.#found(context, served, accepted);
  }

  #found(context: RequestContext, served: ServedResource, accepted: Accepted): Promise<ApiResponse> | ApiResponse {
    const { namespace, name } = context.resource;
    const stored = (served.storage as ResourceStorage).cache.get(namespace, name);
    if (!stored) throw ApiError.notFound(served.groupResource, name);
    const converted = served.readable([stored]);
    if (converted) return converted.then(() => respondStored(this.options.env, context, served, stored, 200, accepted));
    return respondStored(this.options.env, context, served, stored, 200, accepted);
  }

  async #list(context: RequestContext, served: ServedResource): Promise<ApiResponse> {
    const accepted = accept(context, served);
    const result = await list(this.options.env, context, served, parseListOptions(context.query, false));
    await served.readable(result.objects);
    return respondList(this.options.env, context, served, result, accepted);
  }

  async #watch(context: RequestContext, served: ServedResource): Promise<ApiResponse> {
    const accepted = accept(context, served, true);
    const encoder = watchEncoderFor(this.options.env, context, served, accepted);
    const { converter } = served;
    const begin = await watch(this.options.env, context, served, parseListOptions(context.query, true), converter ? pendingEncoder(encoder) : encoder);
    const start = converter ? (sink: StreamSink) => begin(convertingSink(sink, encoder, converter)) : begin;
    return { type: 'stream', status: 200, contentType: accepted.format === 'protobuf' ? `${PROTOBUF_CONTENT_TYPE};stream=watch` : 'application/json', start };
  }

  async #create(context: RequestContext, served: ServedResource): Promise<ApiResponse> {
    const { env } = this.options;
    const { namespace } = context.resource;
    if (served.definition.namespaced && namespace === '') throw ApiError.badRequest('an empty namespace may not be set during creation');
    if (context.resource.name !== '') return notFoundMethod(served, 'create');
    const options = parseWriteOptions(context);
    const accepted = accept(context, served);
    const object = decodeObject(context, served, await context.request.body(), options.fieldValidation);
    return this.#written(context, served, await create(env, context, served, object, options), accepted);
  }

  async #update(context: RequestContext, served: ServedResource, sub?: Extract<Subresource, { type: 'status' | 'part' }>): Promise<ApiResponse> {
    const { env } = this.options;
    const options = parseWriteOptions(context);
    const accepted = accept(context, served);
    const body = await context.request.body();
    let first: KubeObject | undefined = decodeObject(context, served, body, options.fieldValidation);
    const decode = (): KubeObject => {
      // The first attempt uses what has been decoded; a further one needs a fresh copy.
      const object = first ?? decodeObject(context, served, body, 'Ignore');
      first = undefined;
      return object;
    };
    const strategy = strategyOf(served, sub);
    const result = await update(
      env,
      context,
      served,
      {
        subresource: sub ? (sub.type === 'status' ? 'status' : sub.name) : '',
        strategy,
        transform: (current) => mergeWritten(sub, current, decode()),
        ...(sub === undefined && served.definition.strategy.allowCreateOnUpdate ? { create: decode } : {}),
        managed: true,
        patch: sub !== undefined,
      },
      options,
    );
    return this.#written(context, served, result, accepted);
  }

  async #patch(context: RequestContext, served: ServedResource, sub: Extract<Subresource, { type: 'status' | 'part' }> | undefined): Promise<ApiResponse> {
    const accepted = accept(context, served);
    const result = await patch(this.options.env, context, served, sub);
    return this.#written(context, served, result, accepted);
  }

  async #delete(context: RequestContext, served: ServedResource): Promise<ApiResponse> {
    const { env } = this.options;
    const { namespace, name } = context.resource;
    const accepted = accept(context, served);
    const options = await parseDeleteOptions(context);
    const kept = env.hooks.get(served.name)?.keeps?.(name);
    if (kept !== undefined) throw ApiError.forbidden(served.groupResource, name, kept);
    const result = await remove(env, context, served, namespace, name, options);
    const status = !result.removed && options.orphanDependents === false ? 202 : 200;
    if (!result.removed || returnsDeleted(served.definition)) return respondStored(env, context, served, result.object, status, accepted);
    const { group } = served.definition;
    const uid = result.object.object.metadata.uid;
    return respondKind(context, 200, successStatus({ name, ...(group === '' ? {} : { group }), kind: served.definition.resource, ...(uid ? { uid } : {}) }));
  }

  async #deleteCollection(context: RequestContext, served: ServedResource, env: RestEnv): Promise<ApiResponse> {
    const accepted = accept(context, served);
    const result = await removeCollection(env, context, served);
    await served.readable(result.objects);
    return respondList(env, context, served, result, accepted);
  }

  #written(context: RequestContext, served: ServedResource, result: WriteResult, accepted: Accepted): ApiResponse {
    const { env } = this.options;
    const status = result.created ? 201 : 200;
    return result.type === 'stored'
      ? respondStored(env, context, served, result.object, status, accepted)
      : respondObject(env, context, served, result.object, status, accepted);
  }
}

function accept(context: RequestContext, served: ServedResource, stream = false): Accepted {
  const header = context.request.headers.accept as string | undefined;
  return negotiate(header, { tables: true, partial: true, protobuf: served.protobuf !== undefined, stream });
}

function notFoundMethod(served: ServedResource, verb: string): never {
  throw ApiError.methodNotSupported(served.groupResource, verb);
}
