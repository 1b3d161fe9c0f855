import { createServer, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { BuiltImage } from './build-image.js';
import { type Digest, digestOf } from './digest.js';

export interface LoopbackRegistryOptions {
  readonly port?: number;
  /** Ask for this user by HTTP basic or by a bearer token from our own token endpoint. */
  readonly credentials?: { readonly username: string; readonly password: string; readonly scheme: 'basic' | 'bearer' };
}

/** A read-only OCI registry in memory on 127.0.0.1, for tests and examples. */
export class LoopbackRegistry {
  readonly #blobs = new Map<Digest, Uint8Array>();
  readonly #manifests = new Map<string, { bytes: Uint8Array; type: string }>();
  readonly #server: Server;
  /** Paths requested, in order; for tests. */
  readonly requests: string[] = [];
  /** Answer requests of a path yourself by returning true; for tests of failures. */
  intercept: ((path: string, response: ServerResponse, range: string | undefined) => boolean) | undefined;

  private constructor(private readonly options: LoopbackRegistryOptions) {
    this.#server = createServer((request, response) => {
      const path = (request.url ?? '').split('?')[0] as string;
      this.requests.push(path);
      if (this.intercept?.(path, response, request.headers.range)) return;
      this.#serve(path, request.headers.authorization, request.headers.range, request.method === 'HEAD', response);
    });
  }

  static async start(options: LoopbackRegistryOptions = {}): Promise<LoopbackRegistry> {
    const registry = new LoopbackRegistry(options);
    registry.#server.listen(options.port ?? 0, '127.0.0.1');
    await once(registry.#server, 'listening');
    return registry;
  }

  /** `127.0.0.1:<port>`: the domain of its references. */
  get host(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the registry is closed');
    return `127.0.0.1:${address.port}`;
  }

  /** Publish an image as `repository:tag`; returns the full reference. */
  add(repository: string, tag: string, image: BuiltImage): string {
    for (const [digest, bytes] of image.blobs) this.#blobs.set(digest, bytes);
    const bytes = image.blobs.get(image.manifest.digest) as Uint8Array;
    this.addManifest(repository, tag, bytes, image.manifest.mediaType);
    return `${this.host}/${repository}:${tag}`;
  }

  /** Publish a raw manifest or index. */
  addManifest(repository: string, tag: string, bytes: Uint8Array, type: string): Digest {
    const digest = digestOf(bytes);
    this.#manifests.set(`${repository}:${tag}`, { bytes, type });
    this.#manifests.set(`${repository}:${digest}`, { bytes, type });
    return digest;
  }

  addBlob(bytes: Uint8Array, digest: Digest = digestOf(bytes)): Digest {
    this.#blobs.set(digest, bytes);
    return digest;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(path: string, authorization: string | undefined, range: string | undefined, head: boolean, response: ServerResponse): void {
    const { credentials } = this.options;
    const send = (status: number, body: Uint8Array | string, headers: Record<string, string> = {}) => {
      response.writeHead(status, { 'content-length': String(Buffer.byteLength(body)), ...headers });
      response.end(head ? undefined : body);
    };
    if (credentials) {
      const basic = `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
      if (path === '/token') return void (authorization === basic ? send(200, JSON.stringify({ token: 'let-me-in' })) : send(401, '{}'));
      const expected = credentials.scheme === 'basic' ? basic : 'Bearer let-me-in';
      if (authorization !== expected) {
        const challenge =
          credentials.scheme === 'basic' ? 'Basic realm="loopback"' : `Bearer realm="http://${this.host}/token",service="loopback",scope="repository:x:pull"`;
        return void send(401, '{"errors":[{"code":"UNAUTHORIZED"}]}', { 'www-authenticate': challenge });
      }
    }
    if (path === '/v2/' || path === '/v2') return void send(200, '{}');
    const match = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(path);
    if (!match) return void send(404, '{}');
    const [, repository, kind, name] = match as unknown as [string, string, string, string];
    if (kind === 'manifests') {
      const found = this.#manifests.get(`${repository}:${name}`);
      if (!found) return void send(404, '{"errors":[{"code":"MANIFEST_UNKNOWN"}]}');
      return void send(200, found.bytes, { 'content-type': found.type, 'docker-content-digest': digestOf(found.bytes) });
    }
    const blob = this.#blobs.get(name);
    if (!blob) return void send(404, '{"errors":[{"code":"BLOB_UNKNOWN"}]}');
    const from = /^bytes=(\d+)-$/.exec(range ?? '')?.[1];
    if (from === undefined) return void send(200, blob, { 'content-type': 'application/octet-stream' });
    return void send(206, blob.subarray(Number(from)), { 'content-range': `bytes ${from}-${blob.length - 1}/${blob.length}` });
  }
}
