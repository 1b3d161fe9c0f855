import type { KubeObject } from '@coxswain/api';
import { PROTOBUF_CONTENT_TYPE } from '@coxswain/api';
import { ApiError } from '@coxswain/apimachinery';
import { dump } from 'js-yaml';
import { encodeKind } from '../protobuf/kinds.js';
import type { ProtobufCodec } from '../protobuf/protobuf-codec.js';
import { formatOf } from '../request/accept.js';
import type { Accepted } from '../request/accept.js';
import type { ApiResponse } from '../request/api-request.js';
import type { RequestContext } from '../request/request-context.js';
import { encodeList } from '../registry/list-encoder.js';
import type { ServedResource } from '../registry/served-resource.js';
import { partialObject, table, tableColumns, tableRow } from '../registry/shapes.js';
import type { Columns, IncludeObject } from '../registry/shapes.js';
import { shapedWatchEncoder } from '../registry/watch-encoders.js';
import { encodeObject } from '../storage/stored-object.js';
import type { StoredObject } from '../storage/stored-object.js';
import type { WatchEncoder } from '../storage/watch-groups.js';
import type { ListResult } from './list.js';
import type { RestEnv } from './rest-env.js';

/** A stored object: its cached bytes, unless the client wants another shape. */
export function respondStored(
  env: RestEnv,
  context: RequestContext,
  served: ServedResource,
  stored: StoredObject,
  status: number,
  accepted: Accepted,
): ApiResponse {
  if (accepted.as === 'object' && context.request.caller) return decoded(status, served.codec.object(stored));
  const protobuf = protobufFor(served, accepted);
  if (protobuf) return { type: 'bytes', status, contentType: PROTOBUF_CONTENT_TYPE, body: protobuf.bytes(stored) };
  if (accepted.as === 'object' && accepted.format === 'json' && !wantsPretty(context)) {
    return { type: 'bytes', status, contentType: 'application/json', body: served.codec.bytes(stored) };
  }
  return respondObject(env, context, served, served.codec.object(stored), status, accepted);
}

export function respondObject(
  env: RestEnv,
  context: RequestContext,
  served: ServedResource,
  object: KubeObject,
  status: number,
  accepted: Accepted,
): ApiResponse {
  if (accepted.as === 'object' && context.request.caller) return decoded(status, object);
  const protobuf = protobufFor(served, accepted);
  if (protobuf) return { type: 'bytes', status, contentType: PROTOBUF_CONTENT_TYPE, body: protobuf.object(object) };
  switch (accepted.as) {
    case 'Table': {
      const metadata = { resourceVersion: object.metadata.resourceVersion };
      const rows = [tableRow(served.definition, object, includeObject(context), accepted.version, env.clock.now())];
      return encoded(context, status, table(accepted.version, metadata, tableColumns(served.definition), rows), accepted);
    }
    case 'PartialObjectMetadata':
      return encoded(context, status, partialObject(object, accepted.version), accepted);
    default:
      return encoded(context, status, object, accepted);
  }
}

export function respondList(env: RestEnv, context: RequestContext, served: ServedResource, { objects, metadata }: ListResult, accepted: Accepted): ApiResponse {
  const { definition, codec } = served;
  if (accepted.as === 'object' && context.request.caller) {
    return decoded(200, { kind: definition.listKind, apiVersion: codec.apiVersion, metadata, items: objects.map((stored) => codec.object(stored)) });
  }
  const protobuf = protobufFor(served, accepted);
  if (protobuf) return { type: 'bytes', status: 200, contentType: PROTOBUF_CONTENT_TYPE, body: protobuf.list(objects, metadata) };
  switch (accepted.as) {
    case 'Table': {
      const include = includeObject(context);
      const now = env.clock.now();
      const rows = objects.map((stored) => tableRow(definition, codec.object(stored), include, accepted.version, now));
      return encoded(context, 200, table(accepted.version, metadata, tableColumns(definition), rows), accepted);
    }
    case 'PartialObjectMetadata': {
      const items = objects.map((stored) => partialObject(codec.object(stored), accepted.version));
      return encoded(context, 200, { kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${accepted.version}`, metadata, items }, accepted);
    }
    default: {
      const body = encodeList(codec, objects, metadata);
      if (accepted.format !== 'json' || wantsPretty(context)) return encoded(context, 200, JSON.parse(body.toBuffer().toString()), accepted);
      return body.length > LONG
        ? { type: 'list', status: 200, contentType: 'application/json', body }
        : { type: 'bytes', status: 200, contentType: 'application/json', body: body.toBuffer() };
    }
  }
}

/** Objects no store keeps (a Scale, a component's status) as rows, one for each; `metadata` is the list's or the one object's. */
export function respondRows(
  env: RestEnv,
  context: RequestContext,
  columns: Columns,
  objects: readonly KubeObject[],
  metadata: object,
  accepted: Accepted,
): ApiResponse {
  const include = includeObject(context);
  const now = env.clock.now();
  const rows = objects.map((object) => tableRow(columns, object, include, accepted.version, now));
  return encoded(context, 200, table(accepted.version, metadata, tableColumns(columns), rows), accepted);
}

const NO_BYTES = Buffer.alloc(0);
/** Lists up to here are sent in one piece. */
const LONG = 64 * 1024;

/** For callers in this process. */
function decoded(status: number, object: unknown): ApiResponse {
  return { type: 'bytes', status, contentType: 'application/json', body: NO_BYTES, object };
}

function protobufFor(served: ServedResource, { format, as, version }: Accepted): ProtobufCodec | undefined {
  if (format !== 'protobuf') return undefined;
  return as === 'PartialObjectMetadata' ? served.partialProtobuf(version) : served.protobuf;
}

/** An object of another kind than the resource's (a Status, a review), in the format the client prefers. */
export function respondKind(context: RequestContext, status: number, value: unknown): ApiResponse {
  return context.request.caller ? decoded(status, value) : encoded(context, status, value, formatOf(context.request.headers.accept));
}

export function encoded(context: RequestContext, status: number, value: unknown, accepted: Accepted): ApiResponse {
  if (accepted.format === 'protobuf') {
    const body = encodeKind(value);
    if (body) return { type: 'bytes', status, contentType: PROTOBUF_CONTENT_TYPE, body };
  }
  if (accepted.format === 'yaml') return { type: 'bytes', status, contentType: 'application/yaml', body: Buffer.from(dump(value)) };
  const body = wantsPretty(context) ? Buffer.from(`${JSON.stringify(value, null, 2)}\n`) : encodeObject(value);
  return { type: 'bytes', status, contentType: 'application/json', body };
}

export function watchEncoderFor(env: RestEnv, context: RequestContext, served: ServedResource, accepted: Accepted): WatchEncoder {
  const protobuf = protobufFor(served, accepted);
  if (protobuf) return protobuf.watchEncoder;
  const { definition, codec } = served;
  const { version } = accepted;
  switch (accepted.as) {
    case 'Table': {
      const include = includeObject(context);
      const columns = tableColumns(definition);
      const shape = (stored: StoredObject) =>
        table(version, { resourceVersion: String(stored.revision) }, columns, [tableRow(definition, codec.object(stored), include, version, env.clock.now())]);
      const bookmark = (revision: number) => table(version, { resourceVersion: String(revision) }, columns, []);
      return shapedWatchEncoder(`table:${version}:${include}:${codec.apiVersion}/${definition.kind}`, shape, bookmark);
    }
    case 'PartialObjectMetadata': {
      const shape = (stored: StoredObject) => partialObject(codec.object(stored), version);
      const bookmark = (revision: number) => ({
        kind: 'PartialObjectMetadata',
        apiVersion: `meta.k8s.io/${version}`,
        metadata: { resourceVersion: String(revision) },
      });
      return shapedWatchEncoder(`partial:${version}:${codec.apiVersion}/${definition.kind}`, shape, bookmark);
    }
    default:
      return context.request.caller ? served.decodedEncoder : served.watchEncoder;
  }
}

function includeObject(context: RequestContext): IncludeObject {
  const value = context.query.get('includeObject') ?? '';
  if (value === '' || value === 'Metadata') return 'Metadata';
  if (value === 'None' || value === 'Object') return value;
  throw ApiError.badRequest(`unrecognized includeObject value: ${JSON.stringify(value)}`);
}

const HUMANS = /^(curl|Wget|Mozilla\/5\.0)/;

/** As upstream: when asked for, and by default for people's tools. */
export function wantsPretty(context: RequestContext): boolean {
  const asked = context.query.get('pretty');
  if (asked !== null) return asked !== '0' && asked !== 'false';
  return HUMANS.test(context.userAgent);
}
