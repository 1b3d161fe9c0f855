import type { KubeObject } from '@coxswain/api';
import { ApiError, applyMergePatch, cloneJson } from '@coxswain/apimachinery';
import { TransportError, type Transport, type TransportRequest, type TransportResponse, type TransportStream } from './transport/transport.js';
import type { WatchEvent } from './watch/watch-event.js';

interface Watcher {
  readonly prefix: string;
  readonly push: (event: WatchEvent) => void;
}

/** An API server in a few lines, for this package's tests: objects by path, resourceVersions, conflicts, watches. */
export class TestServer implements Transport {
  readonly objects = new Map<string, KubeObject>();
  readonly requests: string[] = [];
  revision = 10;
  /** Watches from before this revision are told that it is gone. */
  oldest = 0;
  /** Set to make requests fail. */
  fail: ((request: TransportRequest) => Error | undefined) | undefined;
  readonly #watchers = new Set<Watcher>();
  readonly #log: { readonly revision: number; readonly path: string; readonly event: WatchEvent }[] = [];
  readonly #enders = new Set<() => void>();

  put(path: string, object: KubeObject): void {
    const existed = this.objects.has(path);
    const stored = { ...object, metadata: { uid: path, ...object.metadata, resourceVersion: String(++this.revision) } };
    this.objects.set(path, stored);
    this.#emit(path, { type: existed ? 'MODIFIED' : 'ADDED', object: stored });
  }

  remove(path: string): void {
    const object = this.objects.get(path);
    if (!object) return;
    this.objects.delete(path);
    this.#emit(path, { type: 'DELETED', object: { ...object, metadata: { ...object.metadata, resourceVersion: String(++this.revision) } } });
  }

  bookmark(): void {
    for (const w of this.#watchers) w.push({ type: 'BOOKMARK', object: { apiVersion: 'v1', kind: 'X', metadata: { resourceVersion: String(this.revision) } } });
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  /** Ends every watch, as a server does after its timeout. */
  endWatches(): void {
    for (const end of this.#enders) end();
  }

  #emit(path: string, event: WatchEvent): void {
    this.#log.push({ revision: this.revision, path, event });
    for (const w of this.#watchers) if (path.startsWith(w.prefix)) w.push(event);
  }

  async request(request: TransportRequest): Promise<TransportResponse> {
    this.requests.push(`${request.method} ${request.path}${request.query ? `?${request.query}` : ''}`);
    await Promise.resolve();
    const failure = this.fail?.(request);
    if (failure instanceof ApiError) return answer(failure.code, failure.status);
    if (failure) throw failure;
    try {
      return answer(200, this.#handle(request));
    } catch (error) {
      if (error instanceof ApiError) return answer(error.code, error.status);
      throw error;
    }
  }

  #handle({ method, path, body }: TransportRequest): unknown {
    const parsed = body === undefined ? undefined : (JSON.parse(String(body)) as KubeObject);
    const current = this.objects.get(path);
    const gr = { group: '', resource: 'things' };
    switch (method) {
      case 'GET': {
        if (current) return current;
        const items = [...this.objects].filter(([p]) => p.startsWith(`${path}/`)).map(([, o]) => o);
        if (items.length === 0 && !path.endsWith('s')) throw ApiError.notFound(gr, path);
        return { apiVersion: 'v1', kind: 'ThingList', metadata: { resourceVersion: String(this.revision) }, items };
      }
      case 'POST': {
        const at = `${path}/${parsed?.metadata.name}`;
        if (this.objects.has(at)) throw ApiError.alreadyExists(gr, at);
        this.put(at, parsed as KubeObject);
        return this.objects.get(at);
      }
      case 'PUT':
      case 'PATCH': {
        if (!current) throw ApiError.notFound(gr, path);
        const next = method === 'PUT' ? (parsed as KubeObject) : (applyMergePatch(cloneJson(current) as never, parsed as never) as KubeObject);
        if (next.metadata.resourceVersion && next.metadata.resourceVersion !== current.metadata.resourceVersion) throw ApiError.conflict(gr, path);
        this.put(path, next);
        return this.objects.get(path);
      }
      default:
        throw ApiError.methodNotSupported(gr, method);
    }
  }

  async stream(request: TransportRequest): Promise<TransportStream> {
    this.requests.push(`WATCH ${request.path}?${request.query}`);
    await Promise.resolve();
    const failure = this.fail?.(request);
    if (failure) throw failure;
    const from = Number(new URLSearchParams(request.query).get('resourceVersion') ?? 0);
    const queue: Uint8Array[] = [];
    let wake: () => void = () => {};
    let ended = false;
    const push = (event: WatchEvent) => {
      queue.push(Buffer.from(`${JSON.stringify(event)}\n`));
      wake();
    };
    const watcher: Watcher = { prefix: `${request.path}/`, push };
    const end = () => {
      ended = true;
      wake();
    };
    if (from < this.oldest) {
      push({ type: 'ERROR', object: ApiError.expired('too old resource version').status as never });
      ended = true;
    } else {
      for (const { revision, path, event } of this.#log) if (revision > from && path.startsWith(watcher.prefix)) push(event);
      this.#watchers.add(watcher);
      this.#enders.add(end);
      request.signal?.addEventListener('abort', end);
    }
    const watchers = this.#watchers;
    const enders = this.#enders;
    async function* chunks(): AsyncIterable<Uint8Array> {
      try {
        for (;;) {
          for (let c = queue.shift(); c; c = queue.shift()) yield c;
          if (ended) return;
          await new Promise<void>((resolve) => (wake = resolve));
        }
      } finally {
        watchers.delete(watcher);
        enders.delete(end);
      }
    }
    return { status: 200, headers: {}, chunks: chunks() };
  }

  async close(): Promise<void> {
    this.endWatches();
  }
}

function answer(status: number, body: unknown): TransportResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: Buffer.from(JSON.stringify(body)) };
}

export const connectionRefused = () => new TransportError('connection refused', false);
