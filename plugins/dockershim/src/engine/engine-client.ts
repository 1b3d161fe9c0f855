import http, { type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '@coxswain/sdk';
import { codeOfStatus, EngineError } from './engine-error.js';

export interface EngineClientOptions {
  /** Path of the engine's unix socket. */
  readonly socket: string;
  readonly clock: Clock;
  /** How long an answer may take. Default 120 s. */
  readonly timeoutMs?: number;
}

export interface EngineRequest {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'HEAD';
  /** Without the version. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly body?: object;
  /** Sent as it is, a tar file. */
  readonly tar?: AsyncIterable<Uint8Array>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Doing it twice does no harm: it is done again when the kept connection it was sent on had been closed. Of GET and HEAD always. */
  readonly repeatable?: boolean;
  /** Until the head of the answer. 0: as long as it takes. */
  readonly timeoutMs?: number;
}

/** The API version whose shapes we use; a newer engine that has dropped it is asked in its oldest. */
const API_VERSION = '1.41';
const OLDEST_VERSION = '1.40';
const MESSAGE_BYTES = 64 * 1024;

/** HTTP over the engine's unix socket. Every failure is an `EngineError`. */
export class EngineClient {
  readonly #agent = new http.Agent({ keepAlive: true, maxFreeSockets: 8 });
  #prefix: Promise<string> | undefined;

  constructor(private readonly options: EngineClientOptions) {}

  get socket(): string {
    return this.options.socket;
  }

  close(): void {
    this.#agent.destroy();
  }

  /** The answer's JSON. */
  async json<T>(request: EngineRequest): Promise<T> {
    return this.#parse<T>(request, await this.#text(await this.stream(request)));
  }

  /** When only success matters. */
  async call(request: EngineRequest): Promise<void> {
    const response = await this.stream(request);
    for await (const _ of response) {
      // Read to its end, so that the connection serves again.
    }
  }

  /** The answer as it comes; its head is waited for. */
  async stream(request: EngineRequest): Promise<IncomingMessage> {
    const path = (await this.#version()) + request.path;
    const answer = await this.#send(request, path, false);
    if (answer.kind === 'upgrade') throw new EngineError('internal', `the Docker Engine upgraded ${request.method} ${request.path}`);
    return answer.response;
  }

  /** Take the connection over: what is written is the process's input, what is read its output. */
  async hijack(request: EngineRequest): Promise<Socket> {
    const path = (await this.#version()) + request.path;
    const answer = await this.#send({ ...request, headers: { ...request.headers, connection: 'Upgrade', upgrade: 'tcp' } }, path, true);
    if (answer.kind === 'upgrade') {
      if (answer.head.length > 0) answer.socket.unshift(answer.head);
      return answer.socket;
    }
    answer.response.destroy();
    throw new EngineError('internal', `the Docker Engine did not upgrade ${request.method} ${request.path}`);
  }

  /** `/v1.41`, agreed upon with the engine once. Rejects when what listens there is no engine. */
  #version(): Promise<string> {
    this.#prefix ??= this.#negotiate().catch((error: unknown) => {
      this.#prefix = undefined;
      throw error;
    });
    return this.#prefix;
  }

  async #negotiate(): Promise<string> {
    const { socket } = this.options;
    const stranger = (cause?: unknown) => new EngineError('unavailable', `what listens on ${socket} is no Docker Engine`, undefined, { cause });
    const request: EngineRequest = { method: 'GET', path: '/version', timeoutMs: 10_000 };
    const answer = await this.#send(request, request.path, false).catch((error: unknown) => {
      throw error instanceof EngineError && error.status === undefined && error.code !== 'internal' ? error : stranger(error);
    });
    if (answer.kind === 'upgrade') throw stranger();
    let body: { readonly ApiVersion?: string; readonly MinAPIVersion?: string };
    try {
      body = JSON.parse(await this.#text(answer.response)) as typeof body;
    } catch (cause) {
      throw stranger(cause);
    }
    if (typeof body?.ApiVersion !== 'string') throw stranger();
    const newest = older(API_VERSION, body.ApiVersion) ? API_VERSION : body.ApiVersion;
    if (older(newest, OLDEST_VERSION) && newest !== OLDEST_VERSION)
      throw new EngineError('unavailable', `the Docker Engine on ${socket} speaks API ${newest}; ${OLDEST_VERSION} (Docker 19.03) or newer is needed`);
    const least = body.MinAPIVersion;
    return `/v${least !== undefined && older(newest, least) ? least : newest}`;
  }

  #send(
    request: EngineRequest,
    path: string,
    alone: boolean,
  ): Promise<{ kind: 'response'; response: IncomingMessage } | { kind: 'upgrade'; socket: Socket; head: Buffer }> {
    const { clock, socket } = this.options;
    const { method, body, signal } = request;
    const timeoutMs = request.timeoutMs ?? this.options.timeoutMs ?? 120_000;
    const query = Object.entries(request.query ?? {}).flatMap(([k, v]): [string, string][] => (v === undefined ? [] : [[k, String(v)]]));
    const target = query.length === 0 ? path : `${path}?${new URLSearchParams(query).toString()}`;
    const stream = request.tar && Readable.from(request.tar);
    const json = body && Buffer.from(JSON.stringify(body));
    const headers = {
      host: 'docker',
      ...(json ? { 'content-type': 'application/json', 'content-length': String(json.length) } : {}),
      ...(stream ? { 'content-type': 'application/x-tar' } : {}),
      ...(!json && !stream && method === 'POST' ? { 'content-length': '0' } : {}),
      ...request.headers,
    };
    return new Promise((resolve, reject) => {
      const sent = http.request({ socketPath: socket, path: target, method, headers, ...(alone ? { agent: false } : { agent: this.#agent }) });
      let cancel = () => {};
      const onAbort = () => sent.destroy(signal?.reason as Error);
      const settle = () => {
        cancel();
        signal?.removeEventListener('abort', onAbort);
      };
      if (timeoutMs > 0) {
        const late = () =>
          sent.destroy(new EngineError('deadlineExceeded', `the Docker Engine on ${socket} did not answer ${method} ${path} within ${timeoutMs / 1000} s`));
        cancel = clock.setTimeout(late, timeoutMs);
      }
      if (signal?.aborted) onAbort();
      signal?.addEventListener('abort', onAbort, { once: true });
      sent.on('upgrade', (_, upgraded, head) => {
        settle();
        resolve({ kind: 'upgrade', socket: upgraded as Socket, head });
      });
      sent.on('response', (response) => {
        settle();
        // Who reads the answer may still give up.
        if (signal) {
          const stop = () => response.destroy(signal.reason as Error);
          signal.addEventListener('abort', stop, { once: true });
          response.once('close', () => signal.removeEventListener('abort', stop));
        }
        const status = response.statusCode ?? 0;
        if (status < 400) resolve({ kind: 'response', response });
        else void failure(response, status).then(reject, reject);
      });
      sent.on('error', (error: NodeJS.ErrnoException) => {
        settle();
        // The engine was started again, or has closed what was idle, at the moment we sent.
        const stale = sent.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
        if (stale && !stream && (method === 'GET' || method === 'HEAD' || request.repeatable)) {
          this.#send(request, path, true).then(resolve, reject);
          return;
        }
        reject(error instanceof EngineError || signal?.aborted ? error : unreachable(socket, error));
      });
      if (stream) pipeline(stream, sent).catch((error: Error) => sent.destroy(error));
      else sent.end(json);
    });
  }

  async #text(response: IncomingMessage): Promise<string> {
    const parts: Buffer[] = [];
    try {
      for await (const part of response) parts.push(part as Buffer);
    } catch (error) {
      throw error instanceof EngineError ? error : unreachable(this.options.socket, error as Error);
    }
    return Buffer.concat(parts).toString('utf8');
  }

  #parse<T>(request: EngineRequest, text: string): T {
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw new EngineError('internal', `the Docker Engine answered ${request.method} ${request.path} with something that is no JSON`, undefined, { cause });
    }
  }
}

function unreachable(socket: string, cause: Error): EngineError {
  // Something answered, but not in HTTP.
  if ((cause as NodeJS.ErrnoException).code?.startsWith('HPE_')) return new EngineError('internal', cause.message, undefined, { cause });
  return new EngineError('unavailable', `the Docker Engine on ${socket} cannot be reached: ${cause.message}`, undefined, { cause });
}

async function failure(response: IncomingMessage, status: number): Promise<EngineError> {
  let text = '';
  for await (const part of response) if (text.length < MESSAGE_BYTES) text += String(part);
  let message = text.trim();
  try {
    message = (JSON.parse(text) as { message?: string }).message ?? message;
  } catch {
    // Plain text, then.
  }
  return new EngineError(codeOfStatus(status), message || `the Docker Engine answered ${status}`, status);
}

/** Whether version `a` comes before `b`, or is it. */
function older(a: string, b: string): boolean {
  const [[a1 = 0, a2 = 0], [b1 = 0, b2 = 0]] = [a, b].map((v) => v.split('.').map(Number)) as [number[], number[]];
  return a1 < b1 || (a1 === b1 && a2 <= b2);
}
