import { request as requestHttp } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { type Agent, request as requestHttps } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream';
import { ApiError } from '@coxswain/apimachinery';
import { type ApiRequest, type ApiResponse, textResponse } from '../request/api-request.js';
import type { RawExchange } from '../request/raw-exchange.js';
import { dial } from './backend.js';
import type { Backend } from './backend.js';
import { isReplayable, requestError } from './connections.js';
import { networkProblem } from './network-problem.js';
import { linkStages, rewriteHeaders } from './rewrite-links.js';
import type { LinkBase } from './rewrite-links.js';

const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);
/** Who the caller is was for us to know; the backend is told by our own certificate. */
const PRIVATE = /^(authorization$|cookie$|impersonate-|x-remote-)/;
const UPGRADE_HEADERS = /^(connection|upgrade|sec-websocket-)/;

export interface PassOptions {
  /** Headers that replace the caller's. */
  readonly headers?: OutgoingHttpHeaders;
  /** What the caller gets instead of an answer that is no success; without it every answer is passed on. */
  readonly refusal?: (code: number, text: string) => ApiError;
  /** Where the backend's pages live for the caller: their links are rewritten. */
  readonly links?: LinkBase;
  /** Headers added to the backend's answer. */
  readonly answer?: OutgoingHttpHeaders;
  /** A backend must not send the caller, with what it knows of it, elsewhere: redirects become 502. */
  readonly refuseRedirects?: boolean;
  /** To the backend, made already. */
  readonly connection?: Socket;
}

const MAX_REFUSAL_BYTES = 50_000;

/** Pass a request on to a backend and its answer back, byte for byte; upgrades become a tunnel. */
export async function passThrough(request: ApiRequest, backend: Backend, options: PassOptions = {}): Promise<ApiResponse> {
  const { raw } = request;
  if (!raw) throw ApiError.badRequest('this request needs a connection of its own');
  try {
    return raw.upgrade ? await tunnel(request, raw, raw.upgrade, backend, options) : await forward(request, raw, backend, options);
  } catch (error) {
    if (error instanceof ApiError || request.signal.aborted) throw error;
    throw ApiError.serviceUnavailable(`error trying to reach service: ${networkProblem(error, backend)}`);
  }
}

async function tunnel(
  request: ApiRequest,
  raw: RawExchange,
  client: Duplex,
  backend: Backend,
  { headers: extra = {}, connection }: PassOptions,
): Promise<ApiResponse> {
  const upstream = connection ?? (await dial(backend, request.signal));
  const lines = [`${request.method} ${backend.path} HTTP/1.1`, `Host: ${backend.host}:${backend.port}`];
  for (const [name, value] of Object.entries(raw.headers)) {
    if (value === undefined || name === 'host' || PRIVATE.test(name)) continue;
    if (HOP_BY_HOP.has(name) && !UPGRADE_HEADERS.test(name)) continue;
    for (const one of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${withoutToken(name, one)}`);
  }
  for (const [name, value] of Object.entries(extra)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) lines.push(`${name}: ${one}`);
  }
  upstream.write(`${lines.join('\r\n')}\r\n\r\n`);
  if (raw.head.length > 0) upstream.write(raw.head);
  join(client, upstream);
  return { type: 'handled', status: 101 };
}

/** A bearer token may travel as a WebSocket subprotocol: it stays here. */
function withoutToken(name: string, value: string): string {
  if (name !== 'sec-websocket-protocol') return value;
  return value
    .split(',')
    .map((protocol) => protocol.trim())
    .filter((protocol) => !protocol.startsWith('base64url.bearer.authorization.k8s.io.'))
    .join(', ');
}

/** Two connections as one: each side may close its half while the other goes on; an error ends both. */
function join(a: Duplex, b: Duplex): void {
  const destroy = () => {
    a.destroy();
    b.destroy();
  };
  a.on('error', destroy);
  b.on('error', destroy);
  a.on('close', () => (b.writableEnded ? undefined : b.end()));
  b.on('close', () => (a.writableEnded ? undefined : a.end()));
  a.pipe(b);
  b.pipe(a);
}

function forward(request: ApiRequest, raw: RawExchange, backend: Backend, options: PassOptions): Promise<ApiResponse> {
  const { connections } = backend;
  if (!connections) return forwardBy(false, false, request, raw, backend, options);
  const replayable = isReplayable(request.method, raw.headers);
  return connections.use(replayable, request.signal, (agent) => forwardBy(agent, replayable, request, raw, backend, options));
}

function forwardBy(
  agent: Agent | false,
  replayable: boolean,
  request: ApiRequest,
  raw: RawExchange,
  { scheme, host, port, path, tls }: Backend,
  { headers: extra = {}, refusal, refuseRedirects, links, answer: added, connection }: PassOptions,
): Promise<ApiResponse> {
  const headers: OutgoingHttpHeaders = { ...cleaned(raw.headers), ...extra, host: `${host}:${port}` };
  return new Promise((resolve, reject) => {
    const call = { host, port, path, method: request.method, headers, signal: request.signal };
    const outgoing = connection
      ? requestHttp({ ...call, createConnection: () => connection })
      : scheme === 'https'
        ? requestHttps({ ...call, agent, ...tls })
        : requestHttp({ ...call, agent: false });
    outgoing.on('error', (error) => reject(requestError(outgoing, error)));
    outgoing.on('response', (answer: IncomingMessage) => {
      const status = answer.statusCode ?? 502;
      if (refusal && (status < 200 || status > 206)) {
        textOf(answer).then((text) => reject(refusal(status, text)), reject);
        return;
      }
      if (refuseRedirects && status >= 300 && status < 400 && answer.headers.location) {
        answer.resume();
        resolve(textResponse(502, 'the backend attempted to redirect this request, which is not permitted'));
        return;
      }
      try {
        const stages = links && request.method !== 'HEAD' ? linkStages(answer.headers, links) : [];
        const head = links ? rewriteHeaders(cleaned(answer.headers), links) : cleaned(answer.headers);
        if (stages.length > 0) delete head['content-length'];
        const target = raw.respond(status, added ? { ...head, ...added } : head);
        // A whole answer leaves the connection to the next request.
        pipeline([answer, ...stages, target], (error) => error && outgoing.destroy());
        resolve({ type: 'handled', status });
      } catch (error) {
        // The caller went this very moment, or the backend's headers cannot be sent: thrown on from here it would end the process.
        outgoing.destroy();
        reject(error);
      }
    });
    if (replayable) {
      // There is no body: it must not be what a second attempt lacks.
      raw.input.resume();
      outgoing.end();
      return;
    }
    pipeline(raw.input, outgoing, (error) => {
      if (error && !request.signal.aborted) outgoing.destroy(error);
    });
  });
}

/** The beginning of an answer's body, for an error's message. */
export async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size >= MAX_REFUSAL_BYTES) break;
  }
  return Buffer.concat(chunks).toString('utf8', 0, MAX_REFUSAL_BYTES).trim();
}

function cleaned(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const out: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || name.startsWith(':') || HOP_BY_HOP.has(name) || PRIVATE.test(name)) continue;
    out[name] = value;
  }
  return out;
}
