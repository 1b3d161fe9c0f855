import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { ApiError } from '@coxswain/apimachinery';
import type { Clock } from '@coxswain/sdk';
import type { PathHandler } from '../api-handler.js';
import { clausesOf } from '../request/accept.js';
import type { ApiRequest, ApiResponse } from '../request/api-request.js';
import { jsonResponse } from '../request/api-request.js';
import type { RequestContext } from '../request/request-context.js';
import type { OpenApi, OpenApiDocument, OpenApiForm } from './open-api.js';

const decompress = promisify(gunzip);
/** What an answer says it is: that with an `@`, which clients still ask for, is no valid media type. */
const PROTOBUF = {
  v2: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
  v3: 'application/com.github.proto-openapi.spec.v3.v1.0+protobuf',
} as const;
const NO_BYTES = Buffer.alloc(0);
const YEAR_MS = 365 * 24 * 3600 * 1000;

/** /openapi/v2 and /openapi/v3. */
export function openApiPaths(openApi: OpenApi, clock: Clock): PathHandler {
  return {
    handle(context) {
      const { path } = context.info;
      if (!path.startsWith('/openapi/')) return undefined;
      const { method } = context.request;
      if (method !== 'GET' && method !== 'HEAD') return undefined;
      if (path === '/openapi/v2') return v2(context, openApi);
      if (path === '/openapi/v3' || path === '/openapi/v3/') return jsonResponse(200, openApi.index());
      if (path.startsWith('/openapi/v3/')) return v3(context, openApi, path.slice('/openapi/v3/'.length), clock);
      return undefined;
    },
  };
}

function v2(context: RequestContext, openApi: OpenApi): Promise<ApiResponse> | ApiResponse {
  const form = formOf(context.request.headers.accept, 'v2');
  const etag = `"${openApi.v2Hash}"`;
  const headers = { etag, vary: 'Accept' };
  if (matches(context.request, etag)) return notModified(headers);
  return openApi.v2(form).then((document) => respond(context.request, document, contentTypeOf(form, 'v2'), headers));
}

function formOf(accept: string | string[] | undefined, version: keyof typeof PROTOBUF): OpenApiForm {
  if (typeof accept !== 'string' || accept === '') return 'json';
  const deprecated = PROTOBUF[version].replace('.v1.0+', '@v1.0+');
  for (const { type } of clausesOf(accept)) {
    if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'json';
    if (type === PROTOBUF[version] || type === deprecated) return 'protobuf';
  }
  throw ApiError.notAcceptable(['application/json', PROTOBUF[version], deprecated]);
}

function v3(context: RequestContext, openApi: OpenApi, path: string, clock: Clock): Promise<ApiResponse> | ApiResponse | undefined {
  const hash = openApi.hashOf(path);
  if (hash === undefined) return undefined;
  const asked = context.query.get('hash');
  if (asked !== null && asked !== hash) {
    return { type: 'bytes', status: 301, contentType: '', body: NO_BYTES, headers: { location: `/openapi/v3/${path}?hash=${hash}` } };
  }
  const form = formOf(context.request.headers.accept, 'v3');
  const etag = `"${hash}"`;
  const headers = {
    etag,
    vary: 'Accept',
    // The hash is part of the address: what it names never changes.
    ...(asked === null ? {} : { 'cache-control': 'public, immutable', expires: new Date(clock.now() + YEAR_MS).toUTCString() }),
  };
  if (matches(context.request, etag)) return notModified(headers);
  return openApi.v3(path, form)?.then((document) => respond(context.request, document, contentTypeOf(form, 'v3'), headers));
}

function contentTypeOf(form: OpenApiForm, version: keyof typeof PROTOBUF): string {
  return form === 'json' ? 'application/json' : PROTOBUF[version];
}

async function respond(request: ApiRequest, document: OpenApiDocument, contentType: string, headers: Record<string, string>): Promise<ApiResponse> {
  const accepts = request.headers['accept-encoding'];
  const compressed = typeof accepts === 'string' && /\bgzip\b/.test(accepts);
  const body = compressed ? document.gzip : await decompress(document.gzip);
  return {
    type: 'bytes',
    status: 200,
    contentType,
    body,
    headers: { ...headers, ...(compressed ? { 'content-encoding': 'gzip', vary: 'Accept, Accept-Encoding' } : {}) },
  };
}

function notModified(headers: Record<string, string>): ApiResponse {
  return { type: 'bytes', status: 304, contentType: '', body: NO_BYTES, headers };
}

function matches({ headers }: ApiRequest, etag: string): boolean {
  const given = headers['if-none-match'];
  return typeof given === 'string' && given.split(',').some((one) => one.trim().replace(/^W\//, '') === etag);
}
