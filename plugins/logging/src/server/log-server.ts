import { type Clock, type Logger, PROMETHEUS_TEXT } from '@coxswain/sdk';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type LogQuery, parseQuery } from '../search/log-query.js';
import { QueryError } from '../search/query-error.js';
import type { LiveTail } from '../search/live-tail.js';
import { newest, search, select } from '../search/search.js';
import type { LogStore } from '../store/log-store.js';
import { type CallerRules, callerOf } from './callers.js';
import { LOGGING_GROUP, LOGGING_VERSION } from './names.js';
import { type WireEntry, wireEntry } from './wire-entry.js';

export interface LogServerOptions {
  readonly address: string;
  /** 0: any free one. */
  readonly port: number;
  readonly tls: { readonly cert: string; readonly key: string };
  readonly callers: () => CallerRules | undefined;
  readonly store: LogStore;
  readonly tail: LiveTail;
  readonly nodeName: string;
  /** The same question to the other nodes, by node. */
  readonly others: (path: string, signal: AbortSignal) => Promise<ReadonlyMap<string, AsyncIterable<WireEntry>>>;
  readonly metrics: () => string;
  readonly clock: Clock;
  readonly logger: Logger;
}

const GROUP_VERSION = `${LOGGING_GROUP}/${LOGGING_VERSION}`;
const SEARCH = new RegExp(`^/apis/${LOGGING_GROUP}/${LOGGING_VERSION}(?:/namespaces/([^/]+))?/podlogs/search$`);

/**
 * An aggregated API: `GET /apis/logs.coxswain.dev/v1alpha1[/namespaces/NS]/podlogs/search`, answered as lines of JSON. The API server
 * has authorized "get podlogs" in the namespace before it passes a request on.
 */
export class LogServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(readonly options: LogServerOptions) {
    // Whose certificate it is, is looked at request by request: the authorities are the API's to tell.
    this.#server = createServer(
      { ...options.tls, requestCert: true, rejectUnauthorized: false, minVersion: 'TLSv1.2' },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server.requestTimeout = 0;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.options.port;
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.options.port, this.options.address, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Error('the client went away')));
    try {
      const { clock, callers, metrics } = this.options;
      const rules = callers();
      const caller = rules && callerOf(request.socket as TLSSocket, rules, clock.now());
      if (!caller) return fail(response, 401, 'Unauthorized', 'Unauthorized');
      const url = new URL(request.url ?? '/', 'https://logging');
      if (request.method !== 'GET') return fail(response, 405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource');
      const found = SEARCH.exec(url.pathname);
      if (found) {
        const query = parseQuery(found[1] === undefined ? undefined : decodeURIComponent(found[1]), url.searchParams, clock.now());
        const local = caller === 'peer' || url.searchParams.get('local') === 'true';
        return await (query.follow ? this.#follow(query, url, local, response, gone.signal) : this.#search(query, url, local, response, gone.signal));
      }
      if (url.pathname === '/metrics') return void response.writeHead(200, { 'content-type': PROMETHEUS_TEXT }).end(metrics());
      const document = discovery(url.pathname);
      if (!document) return fail(response, 404, 'NotFound', 'the server could not find the requested resource');
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
    } catch (error) {
      if (gone.signal.aborted) return;
      if (response.headersSent) return void response.destroy();
      if (error instanceof QueryError) return fail(response, 400, 'BadRequest', error.message);
      this.options.logger.error('a log search failed', { err: error });
      fail(response, 500, 'InternalError', (error as Error).message);
    }
  }

  async #search(query: LogQuery, url: URL, local: boolean, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const { store, nodeName } = this.options;
    const problems: string[] = [];
    const asked = local ? new Map<string, AsyncIterable<WireEntry>>() : await this.#others(url, signal, problems);
    const remote = [...asked].map(async ([node, entries]) => {
      const out: WireEntry[] = [];
      try {
        for await (const entry of entries) out.push(entry);
      } catch (error) {
        problems.push(`node ${node} did not answer: ${(error as Error).message}`);
      }
      return out;
    });
    const own = (await search(store, query, signal)).map((entry) => wireEntry(entry, nodeName));
    const all = newest([own, ...(await Promise.all(remote))].flat(), query.limit);
    response.writeHead(200, head(problems));
    response.end(all.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  }

  /** What there is, then what comes, from all nodes as it arrives. */
  async #follow(query: LogQuery, url: URL, local: boolean, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const { store, tail, nodeName, logger } = this.options;
    // Followed before the search, so that nothing falls between; what both have is sent once.
    const live = tail.follow(signal);
    const problems: string[] = [];
    const asked = local ? new Map<string, AsyncIterable<WireEntry>>() : await this.#others(url, signal, problems);
    const before = await search(store, query, signal);
    response.writeHead(200, head(problems));
    response.flushHeaders();
    const write = async (entries: readonly WireEntry[]) => {
      if (entries.length === 0 || response.write(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''))) return;
      await new Promise<void>((resolve) => {
        response.once('drain', resolve);
        response.once('close', resolve);
      });
    };
    await write(before.map((entry) => wireEntry(entry, nodeName)));
    const sent = new Set(before.slice(-1000).map(({ source, time, text }) => `${source.podUid}/${source.container}/${time}/${text}`));
    for (const [node, entries] of asked) {
      void (async () => {
        for await (const entry of entries) await write([entry]);
      })().catch((err: unknown) => signal.aborted || logger.warn('following the logs of another node ended', { node, err }));
    }
    for await (const { entries } of live) {
      const fresh = entries.filter(({ source, time, text }) => !sent.delete(`${source.podUid}/${source.container}/${time}/${text}`));
      await write(select(query, fresh).map((entry) => wireEntry(entry, nodeName)));
    }
  }

  async #others(url: URL, signal: AbortSignal, problems: string[]): Promise<ReadonlyMap<string, AsyncIterable<WireEntry>>> {
    const params = new URLSearchParams(url.searchParams);
    params.set('local', 'true');
    try {
      return await this.options.others(`${url.pathname}?${params}`, signal);
    } catch (error) {
      problems.push(`other nodes could not be asked: ${(error as Error).message}`);
      return new Map();
    }
  }
}

/** What could not be asked is said in `Warning` headers, as the API server says things. */
function head(problems: readonly string[]): Record<string, string | string[]> {
  const warnings = problems.map((p) => `299 - "${p.replace(/[\\"\r\n]/g, ' ')}"`);
  return { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store', ...(warnings.length > 0 ? { warning: warnings } : {}) };
}

function fail(response: ServerResponse, code: number, reason: string, message: string): void {
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(status));
}

function discovery(path: string): object | undefined {
  const version = { groupVersion: GROUP_VERSION, version: LOGGING_VERSION };
  const group = { name: LOGGING_GROUP, versions: [version], preferredVersion: version };
  switch (path.replace(/\/$/, '')) {
    case '/apis':
      return { kind: 'APIGroupList', apiVersion: 'v1', groups: [group] };
    case `/apis/${LOGGING_GROUP}`:
      return { kind: 'APIGroup', apiVersion: 'v1', ...group };
    case `/apis/${GROUP_VERSION}`:
      return {
        kind: 'APIResourceList',
        apiVersion: 'v1',
        groupVersion: GROUP_VERSION,
        resources: [{ name: 'podlogs', singularName: 'podlog', namespaced: true, kind: 'PodLog', verbs: ['get'] }],
      };
    default:
      return undefined;
  }
}
