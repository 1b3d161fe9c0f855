import { ageOf, type KubeObject, type PrinterColumn, type Subresource } from '@coxswain/api';
import { ApiError, applyPatch as applyConfiguration } from '@coxswain/apimachinery';
import { type Accepted, negotiate } from '../request/accept.js';
import type { ApiResponse } from '../request/api-request.js';
import { decodeBody, mediaType } from '../request/decode-body.js';
import type { RequestContext } from '../request/request-context.js';
import type { ServedResource } from '../registry/served-resource.js';
import type { ResourceStorage } from '../storage/resource-storage.js';
import { fieldManagement } from './field-managers.js';
import { checkName } from './object-meta.js';
import { APPLY, applyPatch } from './patch.js';
import { readConfiguration } from './read-configuration.js';
import { encoded, respondRows } from './respond.js';
import type { RestEnv } from './rest-env.js';
import { update } from './update.js';
import { parseWriteOptions } from './write-options.js';
import type { WriteOptions } from './write-options.js';
import { objectOf } from './write-result.js';

type ScaleSubresource = Extract<Subresource, { type: 'scale' }>;

const KIND = { group: 'autoscaling', version: 'v1', kind: 'Scale' } as const;

const column = (name: string, type: PrinterColumn['type'], cell: PrinterColumn['cell']): PrinterColumn => ({ name, type, format: '', priority: 0, cell });

/** As upstream prints a Scale. */
const COLUMNS: readonly PrinterColumn[] = [
  { ...column('Name', 'string', (scale) => scale.metadata.name ?? ''), format: 'name' },
  column('Desired', 'integer', (scale) => Number(scale.spec?.replicas ?? 0)),
  column('Available', 'integer', (scale) => Number((scale.status as { replicas?: number } | undefined)?.replicas ?? 0)),
  column('Age', 'string', (scale, now) => ageOf(scale.metadata.creationTimestamp, now)),
];

/** The autoscaling/v1 Scale of an object. */
export function scaleOf(object: KubeObject, sub: ScaleSubresource): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = sub.labelSelectorPath === undefined ? undefined : read(object, sub.labelSelectorPath);
  const replicas = read(object, sub.specReplicasPath);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      ...(name ? { name } : {}),
      ...(namespace ? { namespace } : {}),
      ...(uid ? { uid } : {}),
      ...(resourceVersion ? { resourceVersion } : {}),
      ...(creationTimestamp ? { creationTimestamp } : {}),
    },
    spec: typeof replicas === 'number' ? { replicas } : {},
    status: { replicas: Number(read(object, sub.statusReplicasPath) ?? 0), ...(selector === undefined ? {} : { selector: selectorText(selector) }) },
  };
}

export async function readScale(env: RestEnv, context: RequestContext, served: ServedResource, sub: ScaleSubresource): Promise<ApiResponse> {
  const { namespace, name } = context.resource;
  const stored = (served.storage as ResourceStorage).cache.get(namespace, name);
  if (!stored) throw ApiError.notFound(served.groupResource, name);
  await served.readable([stored]);
  return respondScale(env, context, scaleOf(served.codec.object(stored), sub), accept(context));
}

export async function writeScale(env: RestEnv, context: RequestContext, served: ServedResource, sub: ScaleSubresource): Promise<ApiResponse> {
  const accepted = accept(context);
  const options = parseWriteOptions(context);
  const body = await context.request.body();
  const applying = context.info.verb === 'patch' && mediaType(context.request.headers['content-type']) === APPLY;
  const transform = applying ? applied(env, context, served, sub, body, options) : written(context, sub, body);
  const plan = { subresource: 'scale', strategy: served.definition.strategy, managed: !applying, patch: true, kind: KIND, transform };
  const result = await update(env, context, served, plan, options);
  return respondScale(env, context, scaleOf(objectOf(served, result), sub), accepted);
}

/** The object as scaled by a PUT, or by a PATCH of its Scale. */
function written(context: RequestContext, sub: ScaleSubresource, body: Buffer): (current: KubeObject) => KubeObject {
  return (current) => {
    const before = scaleOf(current, sub);
    const scale =
      context.info.verb === 'patch'
        ? applyPatch(context, undefined, before, body)
        : (decodeBody(body, context.request.headers['content-type']).value as KubeObject);
    if (typeof scale !== 'object' || scale === null) throw ApiError.badRequest('the body is not a Scale');
    const { name } = context.resource;
    checkName(scale.metadata?.name, name);
    const replicas = checkedReplicas(scale, name);
    const version = scale.metadata.resourceVersion;
    const metadata = { ...current.metadata, ...(version ? { resourceVersion: version } : {}) };
    if (!version) delete metadata.resourceVersion;
    return write({ ...current, metadata }, sub.specReplicasPath, replicas);
  };
}

/** The object with a Scale applied: whoever applies it owns the number of replicas from then on. */
function applied(
  env: RestEnv,
  context: RequestContext,
  served: ServedResource,
  sub: ScaleSubresource,
  body: Buffer,
  options: WriteOptions,
): (current: KubeObject) => KubeObject {
  const { manager, applied: scale } = readConfiguration(context, body, options);
  if (scale.kind !== KIND.kind || scale.apiVersion !== 'autoscaling/v1')
    throw ApiError.badRequest(`${scale.apiVersion}, Kind=${scale.kind} cannot be applied to a Scale of autoscaling/v1`);
  const { name } = context.resource;
  const { uid, resourceVersion } = scale.metadata;
  const { apiVersion } = served.codec;
  const bare = { apiVersion, kind: served.definition.kind, metadata: { name, ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) } };
  const patch = scale.spec?.replicas === undefined ? bare : write(bare, sub.specReplicasPath, checkedReplicas(scale, name));
  return (live) => applyConfiguration({ ...fieldManagement(served, 'scale'), live, patch, manager, force: options.force, now: env.clock.now() }).object;
}

function checkedReplicas(scale: KubeObject, name: string): number {
  const replicas: unknown = scale.spec?.replicas ?? 0;
  if (typeof replicas !== 'number' || !Number.isInteger(replicas)) throw ApiError.badRequest('spec.replicas must be an integer');
  if (replicas >= 0) return replicas;
  throw ApiError.invalid(KIND, name, [
    { type: 'FieldValueInvalid', field: 'spec.replicas', message: `Invalid value: ${replicas}: must be greater than or equal to 0` },
  ]);
}

function respondScale(env: RestEnv, context: RequestContext, scale: KubeObject, accepted: Accepted): ApiResponse {
  if (accepted.as !== 'Table') return encoded(context, 200, scale, accepted);
  return respondRows(env, context, { columns: COLUMNS }, [scale], { resourceVersion: scale.metadata.resourceVersion }, accepted);
}

function accept(context: RequestContext): Accepted {
  return negotiate(context.request.headers.accept as string | undefined, { tables: true, partial: false, protobuf: true });
}

function segments(path: string): string[] {
  return path.split('.').filter((part) => part !== '');
}

function read(object: KubeObject, path: string): unknown {
  let value: unknown = object;
  for (const part of segments(path)) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

/** A copy with another value at the path; shares the rest. */
function write(object: KubeObject, path: string, value: unknown): KubeObject {
  const parts = segments(path);
  const set = (at: Record<string, unknown>, i: number): Record<string, unknown> => {
    const part = parts[i] as string;
    return { ...at, [part]: i === parts.length - 1 ? value : set((at[part] as Record<string, unknown> | undefined) ?? {}, i + 1) };
  };
  return set(object, 0) as KubeObject;
}

/** `status.selector` of a Scale is text: a label selector object or a plain map of labels become it. */
function selectorText(selector: unknown): string {
  if (typeof selector === 'string') return selector;
  if (typeof selector !== 'object' || selector === null) return '';
  const { matchLabels, matchExpressions } = selector as {
    matchLabels?: Record<string, string>;
    matchExpressions?: { key: string; operator: string; values?: string[] }[];
  };
  const labels = matchLabels ?? (matchExpressions ? {} : (selector as Record<string, string>));
  const parts = Object.entries(labels).map(([key, value]) => ({ key, text: `${key}=${value}` }));
  for (const { key, operator, values = [] } of matchExpressions ?? []) {
    const set = `(${[...values].sort().join(',')})`;
    const text = operator === 'In' ? `${key} in ${set}` : operator === 'NotIn' ? `${key} notin ${set}` : operator === 'Exists' ? key : `!${key}`;
    parts.push({ key, text });
  }
  return parts
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .map((part) => part.text)
    .join(',');
}
