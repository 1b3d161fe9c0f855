import type { OutgoingHttpHeaders } from 'node:http';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { ForeignOpenApi } from '../openapi/open-api.js';
import type { V2Document } from '../openapi/merge-v2.js';
import type { Backend } from '../proxy/backend.js';
import type { RemoteApi } from './remote-api.js';

const TIMEOUT_MS = 5000;

/** What another server says of its API: where its v3 document is, and its v2 document, kept compressed. Asked in the background only. */
export class RemoteOpenApi {
  #etag: string | undefined;
  #v2: Buffer | undefined;
  #current: ForeignOpenApi | undefined;

  constructor(readonly api: Pick<RemoteApi, 'fetch'>) {}

  /** Undefined when the server documents nothing. */
  get current(): ForeignOpenApi | undefined {
    return this.#current;
  }

  /** `path` is `apis/<group>/<version>`. Never rejects: a server without documents serves all the same. */
  async refresh(backend: Backend, headers: OutgoingHttpHeaders, path: string): Promise<void> {
    const hash = await this.#hash(backend, headers, path).catch(() => undefined);
    await this.#refreshV2(backend, headers, path).catch(() => {
      this.#v2 = undefined;
      this.#etag = undefined;
    });
    const v2 = this.#v2;
    const etag = this.#etag ?? '';
    if (hash === undefined && !v2) this.#current = undefined;
    else if (this.#current?.hash !== hash || this.#current?.v2?.hash !== (v2 && etag)) {
      this.#current = {
        path,
        hash,
        ...(v2 ? { v2: { hash: etag, read: () => JSON.parse(gunzipSync(v2).toString()) as V2Document } } : {}),
      };
    }
  }

  async #hash(backend: Backend, headers: OutgoingHttpHeaders, path: string): Promise<string | undefined> {
    const { status, body } = await this.api.fetch({ ...backend, path: '/openapi/v3' }, 'GET', headers, undefined, TIMEOUT_MS);
    if (status !== 200) return undefined;
    const index = JSON.parse(body.toString()) as { paths?: Record<string, { serverRelativeURL?: string }> };
    const url = index.paths?.[path]?.serverRelativeURL;
    return typeof url === 'string' ? (new URLSearchParams(url.slice(url.indexOf('?') + 1)).get('hash') ?? '') : undefined;
  }

  async #refreshV2(backend: Backend, headers: OutgoingHttpHeaders, path: string): Promise<void> {
    const asking = { ...headers, ...(this.#etag === undefined ? {} : { 'if-none-match': this.#etag }) };
    const answer = await this.api.fetch({ ...backend, path: '/openapi/v2' }, 'GET', asking, undefined, TIMEOUT_MS);
    if (answer.status === 304) return;
    this.#v2 = undefined;
    this.#etag = undefined;
    if (answer.status !== 200) return;
    const { paths = {}, definitions = {} } = JSON.parse(answer.body.toString()) as Partial<V2Document>;
    const own = Object.fromEntries(Object.entries(paths).filter(([each]) => each.startsWith(`/${path}/`)));
    if (Object.keys(own).length === 0) return;
    this.#v2 = gzipSync(JSON.stringify({ paths: own, definitions: reachable(own, definitions) }));
    this.#etag = String(answer.headers.etag ?? '');
  }
}

/** Definitions that paths lead to; the rest of a server's document is about other groups. */
function reachable(paths: object, definitions: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, member] of Object.entries(value)) {
      if (key !== '$ref' || typeof member !== 'string') visit(member);
      else {
        const name = member.slice('#/definitions/'.length);
        if (name in out || !Object.hasOwn(definitions, name)) continue;
        out[name] = definitions[name];
        visit(definitions[name]);
      }
    }
  };
  visit(paths);
  return out;
}
