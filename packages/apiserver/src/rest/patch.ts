import type { JsonObject, KubeObject, Subresource } from '@coxswain/api';
import { ApiError, applyJsonPatch, applyMergePatch, applyPatch as applyConfiguration, applyStrategicMergePatch } from '@coxswain/apimachinery';
import { mediaType, parseJson } from '../request/decode-body.js';
import type { RequestContext } from '../request/request-context.js';
import { scanJson } from '../request/scan-json.js';
import type { ServedResource } from '../registry/served-resource.js';
import { checkKind } from './decode-object.js';
import { checkShape } from './check-shape.js';
import { fieldManagement } from './field-managers.js';
import { readConfiguration } from './read-configuration.js';
import { mergeWritten, strategyOf } from './subresource-rules.js';
import type { RestEnv } from './rest-env.js';
import { update } from './update.js';
import { parseWriteOptions } from './write-options.js';
import type { WriteOptions } from './write-options.js';
import type { WriteResult } from './write-result.js';

const JSON_PATCH = 'application/json-patch+json';
const MERGE_PATCH = 'application/merge-patch+json';
const STRATEGIC = 'application/strategic-merge-patch+json';
export const APPLY = 'application/apply-patch+yaml';
const ACCEPTED = [JSON_PATCH, MERGE_PATCH, STRATEGIC, APPLY];

type PartSubresource = Extract<Subresource, { type: 'status' | 'part' }>;

/** PATCH of an object or one of its parts, in any of the four forms. */
export async function patch(env: RestEnv, context: RequestContext, served: ServedResource, sub: PartSubresource | undefined): Promise<WriteResult> {
  const options = parseWriteOptions(context);
  const body = await context.request.body();
  const type = mediaType(context.request.headers['content-type']);
  if (type === APPLY) return apply(env, context, served, sub, body, options);
  if (context.query.has('force')) throw forceForbidden();
  const duplicates = options.fieldValidation === 'Ignore' ? [] : duplicatesIn(body);
  return update(
    env,
    context,
    served,
    {
      subresource: sub ? (sub.type === 'status' ? 'status' : sub.name) : '',
      strategy: strategyOf(served, sub),
      managed: true,
      patch: true,
      transform(current) {
        const patched = applyPatch(context, served, current, body);
        checkKind(patched, served);
        checkShape(context, served, patched, { validation: options.fieldValidation, duplicates });
        return mergeWritten(sub, current, patched);
      },
    },
    options,
  );
}

/** Members that a patch gives twice; none in what is no JSON, as whoever parses it says. */
const duplicatesIn = (body: Buffer): readonly string[] => scanJson(body.toString(), true).duplicates;

/** The object with the patch of this request's media type applied; shares nothing with `current`. */
export function applyPatch(context: RequestContext, served: ServedResource | undefined, current: KubeObject, body: Buffer): KubeObject {
  const type = mediaType(context.request.headers['content-type']);
  const object = current as JsonObject;
  switch (type) {
    case JSON_PATCH:
      return applyJsonPatch(object, parseJson(body, false).value) as KubeObject;
    case MERGE_PATCH:
      return applyMergePatch(object, parseJson(body, false).value) as KubeObject;
    case STRATEGIC:
      // A Scale has no lists: there the strategic form is the plain one. Types without a fixed schema do not offer it.
      if (!served) return applyMergePatch(object, parseJson(body, false).value) as KubeObject;
      if (served.schema.kind !== 'ref') throw ApiError.unsupportedMediaType([JSON_PATCH, MERGE_PATCH, APPLY]);
      return applyStrategicMergePatch(object, parseJson(body, false).value, served.schema, served.lookup) as KubeObject;
    default:
      throw ApiError.unsupportedMediaType(ACCEPTED);
  }
}

async function apply(
  env: RestEnv,
  context: RequestContext,
  served: ServedResource,
  sub: PartSubresource | undefined,
  body: Buffer,
  options: WriteOptions,
): Promise<WriteResult> {
  const { manager, applied } = readConfiguration(context, body, options);
  checkKind(applied, served);
  const { name, namespace } = context.resource;
  checkShape(context, served, applied, { validation: options.fieldValidation, sparse: true });
  const subresource = sub ? (sub.type === 'status' ? 'status' : sub.name) : '';
  const run = (live: KubeObject | undefined): KubeObject => {
    const request = { ...fieldManagement(served, subresource), live, patch: applied, manager, force: options.force, now: env.clock.now() };
    const result = applyConfiguration(request);
    return result.object;
  };
  return update(
    env,
    context,
    served,
    {
      subresource,
      strategy: strategyOf(served, sub),
      managed: false,
      patch: true,
      transform: (current) => mergeApplied(sub, current, run(current)),
      ...(sub
        ? {}
        : {
            create() {
              if (applied.metadata.uid)
                throw ApiError.conflict(
                  served.groupResource,
                  name,
                  `uid mismatch: the provided object specified uid ${applied.metadata.uid}, and no existing object was found`,
                );
              const object = run(undefined);
              object.metadata.name = name;
              if (served.definition.namespaced) object.metadata.namespace = namespace;
              return object;
            },
          }),
    },
    options,
  );
}

/** A write to a part keeps the managers apply has worked out for the whole object. */
function mergeApplied(sub: PartSubresource | undefined, current: KubeObject, object: KubeObject): KubeObject {
  if (!sub) return object;
  const merged = mergeWritten(sub, current, object);
  const { managedFields } = object.metadata;
  return { ...merged, metadata: { ...merged.metadata, ...(managedFields ? { managedFields } : {}) } };
}

function forceForbidden(): ApiError {
  return ApiError.invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
    { type: 'FieldValueForbidden', field: 'force', message: 'Forbidden: may not be specified for non-apply patch' },
  ]);
}
