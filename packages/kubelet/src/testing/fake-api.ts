import { KubeClient, type Transport, type TransportRequest, type TransportResponse, type TransportStream } from '@coxswain/client';

interface Stored {
  apiVersion?: string;
  kind?: string;
  metadata: { name: string; namespace?: string; uid: string; resourceVersion: string; deletionTimestamp?: string; deletionGracePeriodSeconds?: number };
  spec?: Record<string, unknown>;
  status?: Record<string, unknown> & { conditions?: { type: string }[] };
  [field: string]: unknown;
}

type Listener = (type: 'ADDED' | 'MODIFIED' | 'DELETED', path: string, object: Stored) => void;

/** As much of an API server as a kubelet talks to, in memory. */
export class FakeApi implements Transport {
  readonly objects = new Map<string, Stored>();
  readonly requests: string[] = [];
  /** Answer this status to everything instead. */
  down = false;
  #version = 1;
  readonly #listeners = new Set<Listener>();
  readonly client = new KubeClient({ transport: this, maxRetries: 0 });

  get(path: string): Stored | undefined {
    return this.objects.get(path);
  }

  pod(name: string): Stored {
    const found = this.objects.get(`/api/v1/namespaces/default/pods/${name}`);
    if (!found) throw new Error(`no pod ${name}`);
    return found;
  }

  put(collection: string, object: { metadata: { name: string; [field: string]: unknown }; [field: string]: unknown }): Stored {
    const path = `${collection}/${object.metadata.name}`;
    const old = this.objects.get(path);
    const stored = {
      ...object,
      metadata: { uid: `uid-${object.metadata.name}`, ...object.metadata, resourceVersion: String(this.#version++) },
    } as Stored;
    this.objects.set(path, stored);
    for (const l of [...this.#listeners]) l(old ? 'MODIFIED' : 'ADDED', path, stored);
    return stored;
  }

  remove(path: string): void {
    const old = this.objects.get(path);
    if (!old) return;
    this.objects.delete(path);
    const gone = { ...old, metadata: { ...old.metadata, resourceVersion: String(this.#version++) } };
    for (const l of [...this.#listeners]) l('DELETED', path, gone);
  }

  deletePod(name: string, grace = 30): void {
    const pod = this.pod(name);
    this.put('/api/v1/namespaces/default/pods', {
      ...pod,
      metadata: { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: grace },
    });
  }

  events(): string[] {
    return [...this.objects.values()].filter((o) => o.kind === 'Event').map((o) => `${String(o['type'])} ${String(o['reason'])}: ${String(o['message'])}`);
  }

  async request(request: TransportRequest): Promise<TransportResponse> {
    this.requests.push(`${request.method} ${request.path}`);
    if (this.down) return answer(503, status(503, 'ServiceUnavailable'));
    const body = request.body === undefined ? undefined : (JSON.parse(String(request.body)) as Record<string, unknown>);
    const query = new URLSearchParams(request.query);
    if (request.path.endsWith('/token')) return answer(201, { status: { token: 'a-token', expirationTimestamp: '2026-01-01T01:00:00Z' } });
    switch (request.method) {
      case 'GET': {
        const object = this.objects.get(request.path);
        if (object) return answer(200, object);
        if (isCollection(request.path))
          return answer(200, {
            kind: 'List',
            apiVersion: 'v1',
            metadata: { resourceVersion: String(this.#version) },
            items: this.#select(request.path, query),
          });
        return answer(404, status(404, 'NotFound'));
      }
      case 'POST': {
        const object = body as { metadata: { name: string; [field: string]: unknown }; [field: string]: unknown };
        if (this.objects.has(`${request.path}/${object.metadata.name}`)) return answer(409, status(409, 'AlreadyExists'));
        return answer(201, this.put(request.path, object));
      }
      case 'PUT':
        return answer(200, this.put(parent(request.path), body as never));
      case 'PATCH': {
        const path = request.path.replace(/\/status$/, '');
        const old = this.objects.get(path);
        if (!old) return answer(404, status(404, 'NotFound'));
        return answer(200, this.put(parent(path), merge(old, body ?? {}) as never));
      }
      default: {
        if (!this.objects.has(request.path)) return answer(404, status(404, 'NotFound'));
        this.remove(request.path);
        return answer(200, status(200, 'Success'));
      }
    }
  }

  async stream(request: TransportRequest): Promise<TransportStream> {
    if (this.down) return { status: 503, headers: {}, chunks: (async function* () {})() };
    const query = new URLSearchParams(request.query);
    return { status: 200, headers: {}, chunks: this.#watch(request.path, query, request.signal) };
  }

  async close(): Promise<void> {}

  async *#watch(path: string, query: URLSearchParams, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
    const queue: Buffer[] = [];
    let wake = () => {};
    const since = Number(query.get('resourceVersion') ?? 0);
    const push = (type: string, object: Stored) => queue.push(Buffer.from(`${JSON.stringify({ type, object })}\n`));
    const listener: Listener = (type, at, object) => {
      if (!inCollection(at, path) || !matches(object, query)) return;
      push(type, object);
      wake();
    };
    for (const object of this.#select(path, query)) if (Number(object.metadata.resourceVersion) > since) push('ADDED', object);
    this.#listeners.add(listener);
    signal?.addEventListener('abort', () => wake(), { once: true });
    try {
      while (!signal?.aborted) {
        const chunk = queue.shift();
        if (chunk) yield chunk;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.#listeners.delete(listener);
    }
  }

  #select(path: string, query: URLSearchParams): Stored[] {
    return [...this.objects].filter(([at, o]) => inCollection(at, path) && matches(o, query)).map(([, o]) => o);
  }
}

const parent = (path: string) => path.slice(0, path.lastIndexOf('/'));
const isCollection = (path: string) =>
  /^\/api\/v1\/(namespaces\/[^/]+\/)?[a-z]+$/.test(path) || /^\/apis\/[^/]+\/[^/]+\/(namespaces\/[^/]+\/)?[a-z]+$/.test(path);

/** `/api/v1/pods` holds pods of all namespaces. */
function inCollection(at: string, collection: string): boolean {
  if (parent(at) === collection) return true;
  return parent(at).replace(/\/namespaces\/[^/]+/, '') === collection;
}

function matches(object: Stored, query: URLSearchParams): boolean {
  const selector = query.get('fieldSelector');
  if (!selector) return true;
  const [key, value] = selector.split('=');
  return (key === 'metadata.name' ? object.metadata.name : object.spec?.['nodeName']) === value;
}

/** Strategic merge as far as statuses need it. */
function merge(old: Record<string, unknown>, patch: Record<string, unknown>): Record<string, unknown> {
  const out = { ...old };
  for (const [key, value] of Object.entries(patch)) {
    const before = out[key];
    if (value === null) delete out[key];
    else if (key === 'conditions' && Array.isArray(value) && Array.isArray(before)) {
      const list = [...(before as { type: string }[])];
      for (const c of value as { type: string }[]) {
        const at = list.findIndex((b) => b.type === c.type);
        if (at < 0) list.push(c);
        else list[at] = merge(list[at] as never, c as never) as never;
      }
      out[key] = list;
    } else if (Array.isArray(value)) out[key] = value.filter((v) => (v as { $patch?: string }).$patch === undefined);
    else if (typeof value === 'object' && typeof before === 'object' && before !== null)
      out[key] = merge(before as Record<string, unknown>, value as Record<string, unknown>);
    else out[key] = value;
  }
  return out;
}

function status(code: number, reason: string) {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: code < 400 ? 'Success' : 'Failure', reason, message: reason, code };
}

function answer(code: number, body: unknown): TransportResponse {
  return { status: code, headers: {}, body: Buffer.from(JSON.stringify(body)) };
}
