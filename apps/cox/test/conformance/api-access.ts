import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { dialCommand } from '@coxswain/cri';
import { parse } from 'yaml';

/** Objects as they come over the wire: a conformance check looks at fields the way a stranger's client does. */
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Json = any;

export interface Answer {
  readonly code: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  readonly body: Json;
}

const PATCH = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

/** A minimal third-party client: HTTPS with the kubeconfig's certificate, nothing else. */
export class ApiAccess implements Disposable {
  readonly #agent: Agent;
  readonly #tls: { readonly ca: Buffer; readonly cert: Buffer; readonly key: Buffer };
  readonly #server: string;
  readonly #watches = new Set<AbortController>();

  constructor(kubeconfig: string) {
    const config = parse(readFileSync(kubeconfig, 'utf8')) as Json;
    const { cluster } = config.clusters[0];
    const { user } = config.users[0];
    const data = (text: string) => Buffer.from(text, 'base64');
    this.#server = cluster.server;
    this.#tls = {
      ca: data(cluster['certificate-authority-data']),
      cert: data(user['client-certificate-data']),
      key: data(user['client-key-data']),
    };
    this.#agent = new Agent({ keepAlive: true, maxSockets: 64, ...this.#tls });
  }

  raw(method: string, path: string, body?: unknown, type = 'application/json', headers: Record<string, string> = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const content = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
      // Node gives a DELETE's body no length of its own accord.
      const about = content === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(content) };
      const outgoing = request(`${this.#server}${path}`, { method, agent: this.#agent, headers: { accept: 'application/json', ...about, ...headers } });
      outgoing.on('error', reject);
      outgoing.on('response', (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('error', reject);
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          let parsed: Json;
          try {
            parsed = JSON.parse(text);
          } catch {
            parsed = undefined;
          }
          resolve({ code: incoming.statusCode ?? 0, headers: incoming.headers, text, body: parsed });
        });
      });
      outgoing.end(content);
    });
  }

  async #ok(method: string, path: string, body?: unknown, type?: string): Promise<Json> {
    const answer = await this.raw(method, path, body, type);
    if (answer.code >= 400) throw new Error(`${method} ${path}: ${answer.code} ${answer.body?.message ?? answer.text}`);
    return answer.body;
  }

  get = (path: string): Promise<Json> => this.#ok('GET', path);
  post = (path: string, body: unknown): Promise<Json> => this.#ok('POST', path, body);
  put = (path: string, body: unknown): Promise<Json> => this.#ok('PUT', path, body);
  delete = (path: string, options?: unknown): Promise<Json> => this.#ok('DELETE', path, options);
  patch = (path: string, kind: keyof typeof PATCH, body: unknown): Promise<Json> => this.#ok('PATCH', path, body, PATCH[kind]);

  /** Read, change, write, again on conflict. */
  async change(path: string, change: (object: Json) => void, subresource = ''): Promise<Json> {
    for (;;) {
      const object = await this.get(path + subresource);
      change(object);
      const answer = await this.raw('PUT', path + subresource, object);
      if (answer.code < 400) return answer.body;
      if (answer.code !== 409) throw new Error(`PUT ${path}${subresource}: ${answer.code} ${answer.text}`);
    }
  }

  /** Run a command in a container; `path` is the pod's exec endpoint. */
  async exec(path: string, command: readonly string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
    const query = new URLSearchParams([['stdout', 'true'], ['stderr', 'true'], ...command.map((word): [string, string] => ['command', word])]);
    const session = await dialCommand({ url: `${this.#server}${path}?${query}`, tls: this.#tls }, { stdin: false, stdout: true, stderr: true, tty: false });
    const all = (stream: Readable | undefined) => (stream ? text(stream) : '');
    const [stdout, stderr, outcome] = await Promise.all([all(session.stdout), all(session.stderr), session.outcome]);
    session.close();
    if (outcome.type === 'error') throw new Error(`${path}: ${outcome.message}`);
    return { code: outcome.code, stdout, stderr };
  }

  /** Events from now on (or from `resourceVersion`); ends with dispose. */
  watch(path: string, query = ''): Watching {
    const abort = new AbortController();
    this.#watches.add(abort);
    const watching = new Watching(() => {
      this.#watches.delete(abort);
      abort.abort();
    });
    const outgoing = request(`${this.#server}${path}?watch=true${query === '' ? '' : `&${query}`}`, { agent: this.#agent, signal: abort.signal });
    outgoing.on('error', () => {});
    outgoing.on('response', (incoming) => {
      let rest = '';
      incoming.setEncoding('utf8');
      incoming.on('error', () => {});
      incoming.on('data', (chunk: string) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line !== '') watching.push(JSON.parse(line));
      });
    });
    outgoing.end();
    return watching;
  }

  [Symbol.dispose](): void {
    for (const abort of this.#watches) abort.abort();
    this.#agent.destroy();
  }
}

export interface WatchEvent {
  readonly type: string;
  readonly object: Json;
}

export class Watching implements Disposable {
  readonly events: WatchEvent[] = [];
  #wake: (() => void)[] = [];

  constructor(private readonly end: () => void) {}

  push(event: WatchEvent): void {
    this.events.push(event);
    for (const wake of this.#wake.splice(0)) wake();
  }

  /** The first event, seen or to come, that fits. */
  async until(what: string, fits: (event: WatchEvent) => boolean, withinMs = 90_000): Promise<WatchEvent> {
    const deadline = performance.now() + withinMs;
    for (let i = 0; ; i++) {
      while (i >= this.events.length) {
        const left = deadline - performance.now();
        if (left <= 0) throw new Error(`no event for ${what}; seen: ${this.events.map((e) => `${e.type} ${e.object?.metadata?.name}`).join(', ')}`);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, left);
          this.#wake.push(() => {
            clearTimeout(timer);
            resolve();
          });
        });
      }
      const event = this.events[i];
      if (event && fits(event)) return event;
    }
  }

  [Symbol.dispose](): void {
    this.end();
  }
}
