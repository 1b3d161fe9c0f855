import { createHash } from 'node:crypto';
import { OciError } from './error.js';
import { type Digest, digestOf } from './digest.js';
import type { Descriptor, ImageConfiguration, ImageManifest, Platform } from './image-types.js';
import { MAX_CONFIG_BYTES, MAX_MANIFEST_BYTES, parseConfiguration, parseManifest } from './manifest.js';
import { MediaType } from './media-types.js';
import { choosePlatform, hostPlatform } from './platform.js';
import { formatReference, type ImageReference, parseReference } from './reference.js';
import { parseChallenge, type RegistryAuth, userAndPassword } from './registry-auth.js';
import { readLimited, verified } from './verify.js';

/** The part of the SDK's `Clock` the client needs. */
export interface RegistryClock {
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface RegistryOptions {
  readonly auth?: RegistryAuth;
  /** Hosts to try first, per domain: `{ 'docker.io': ['http://127.0.0.1:5000'] }`. A mirror's failure falls through to the next. */
  readonly mirrors?: Readonly<Record<string, readonly string[]>>;
  /** Hosts spoken to in plain HTTP. Loopback hosts are always. */
  readonly insecureHosts?: readonly string[];
  readonly platform?: Platform;
  /** Attempts for a request or a blob that fails in a way that may pass. Default 5. */
  readonly attempts?: number;
  readonly clock: RegistryClock;
  readonly fetch?: typeof fetch;
  readonly userAgent?: string;
}

/** A reference resolved to what this platform runs; documents verified against their digests. */
export interface ResolvedImage {
  readonly reference: ImageReference;
  /** What the reference points at: an index or the manifest itself. */
  readonly target: Descriptor;
  readonly index?: { readonly descriptor: Descriptor; readonly bytes: Uint8Array };
  readonly manifestDescriptor: Descriptor;
  readonly manifestBytes: Uint8Array;
  readonly manifest: ImageManifest;
  readonly configBytes: Uint8Array;
  readonly config: ImageConfiguration;
}

interface Endpoint {
  readonly base: string;
  readonly mirror: boolean;
}

const ACCEPT = [MediaType.ociIndex, MediaType.dockerManifestList, MediaType.ociManifest, MediaType.dockerManifest].join(', ');
const MAX_TOKEN_BYTES = 1024 * 1024;
const MAX_ERROR_TEXT = 500;
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/;

/** A client of the OCI distribution API: pulls only. One instance per pull: it holds that pull's tokens. */
export class RegistryClient {
  readonly #tokens = new Map<string, string>();
  readonly #fetch: typeof fetch;

  constructor(private readonly options: RegistryOptions) {
    this.#fetch = options.fetch ?? fetch;
  }

  /** Manifest, configuration and platform choice for a reference. Small documents only; layers come by `blob`. */
  async resolve(image: string | ImageReference, signal?: AbortSignal): Promise<ResolvedImage> {
    const reference = typeof image === 'string' ? parseReference(image) : image;
    const first = await this.#manifest(reference, reference.digest ?? (reference.tag as string), signal);
    let chosen = first;
    if (first.doc.kind === 'index') {
      const child = choosePlatform(first.doc.index, this.options.platform ?? hostPlatform());
      chosen = await this.#manifest(reference, child.digest, signal);
    }
    if (chosen.doc.kind !== 'manifest') throw new OciError('unsupported', 'an image index that points at an index is not supported');
    const { manifest } = chosen.doc;
    if (manifest.config.size > MAX_CONFIG_BYTES)
      throw new OciError(
        'too-large',
        `the image configuration of ${formatReference(reference)} claims ${manifest.config.size} bytes; the limit is ${MAX_CONFIG_BYTES}`,
      );
    const configBytes = await readLimited(this.blob(reference, manifest.config, signal), MAX_CONFIG_BYTES, 'the image configuration');
    return {
      reference,
      target: first.descriptor,
      ...(first.doc.kind === 'index' ? { index: { descriptor: first.descriptor, bytes: first.bytes } } : {}),
      manifestDescriptor: chosen.descriptor,
      manifestBytes: chosen.bytes,
      manifest,
      configBytes,
      config: parseConfiguration(configBytes),
    };
  }

  /** A blob's bytes, verified, resumed with a range request where the connection breaks. `offset` starts in the middle (then unverified here). */
  async *blob(reference: ImageReference, want: Descriptor, signal?: AbortSignal, offset = 0): AsyncGenerator<Uint8Array> {
    const bytes = this.#blobBytes(reference, want, offset, signal);
    if (offset > 0) yield* bytes;
    else yield* verified(bytes, want);
  }

  async *#blobBytes(reference: ImageReference, want: Descriptor, offset: number, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    let at = offset;
    for (let attempt = 1; ; attempt++) {
      // With retries of its own: only what breaks off afterwards is asked for again here.
      const response = await this.#request(reference, `blobs/${want.digest}`, { headers: at > 0 ? { range: `bytes=${at}-` } : {} }, signal, (whole) => whole);
      let failure: unknown;
      try {
        let skip = response.status === 206 ? 0 : at;
        for await (const chunk of bodyOf(response)) {
          if (skip >= chunk.length) {
            skip -= chunk.length;
            continue;
          }
          const part = skip > 0 ? chunk.subarray(skip) : chunk;
          skip = 0;
          at += part.length;
          yield part;
        }
      } catch (error) {
        signal?.throwIfAborted();
        failure = error;
      }
      if (failure === undefined && at >= want.size) return;
      const error = brokenOff(failure, `${want.digest}, of which ${at} of ${want.size} bytes came`);
      if (!retryable(error) || attempt >= (this.options.attempts ?? 5)) throw error;
      await this.options.clock.sleep(backoff(attempt), signal);
    }
  }

  async #manifest(reference: ImageReference, name: string, signal?: AbortSignal) {
    const what = `the manifest of ${formatReference(reference)}`;
    const { type, bytes } = await this.#request(reference, `manifests/${name}`, { headers: { accept: ACCEPT } }, signal, async (response) => {
      const bytes = await readLimited(bodyOf(response), MAX_MANIFEST_BYTES, what).catch((error: unknown) => {
        throw brokenOff(error, what);
      });
      return { type: response.headers.get('content-type'), bytes };
    });
    const algorithm = name.startsWith('sha512:') ? 'sha512' : 'sha256';
    const digest: Digest = algorithm === 'sha256' ? digestOf(bytes) : `sha512:${createHash('sha512').update(bytes).digest('hex')}`;
    if (name.includes(':') && name !== digest) throw new OciError('digest-mismatch', `the registry answered ${name} with content of digest ${digest}`);
    const doc = parseManifest(bytes, type?.split(';')[0]?.trim());
    const descriptor: Descriptor = { mediaType: doc.mediaType, digest, size: bytes.length };
    return { bytes, descriptor, doc };
  }

  /** Try each endpoint in turn, each with retries and authentication. */
  async #request<T>(
    reference: ImageReference,
    path: string,
    init: RequestInit,
    signal: AbortSignal | undefined,
    take: (response: Response) => T | Promise<T>,
  ): Promise<T> {
    let last: unknown;
    for (const endpoint of this.#endpoints(reference)) {
      try {
        return await this.#retry(async () => take(await this.#authenticated(endpoint, reference, path, init, signal)), signal);
      } catch (error) {
        signal?.throwIfAborted();
        last = error;
        if (!endpoint.mirror) throw error;
      }
    }
    throw last;
  }

  #endpoints(reference: ImageReference): Endpoint[] {
    const { domain } = reference;
    const host = domain === 'docker.io' ? 'registry-1.docker.io' : domain;
    const plain = LOOPBACK.test(host) || this.options.insecureHosts?.includes(host);
    const mirrors = this.options.mirrors?.[domain] ?? this.options.mirrors?.['*'] ?? [];
    return [...mirrors.map((m) => ({ base: m.replace(/\/$/, ''), mirror: true })), { base: `${plain ? 'http' : 'https'}://${host}`, mirror: false }];
  }

  async #retry<T>(run: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await run();
      } catch (error) {
        signal?.throwIfAborted();
        if (!retryable(error) || attempt >= (this.options.attempts ?? 5)) throw error;
        await this.options.clock.sleep(backoff(attempt), signal);
      }
    }
  }

  async #authenticated(endpoint: Endpoint, reference: ImageReference, path: string, init: RequestInit, signal?: AbortSignal): Promise<Response> {
    const url = `${endpoint.base}/v2/${reference.path}/${path}`;
    const send = async () => {
      const token = this.#tokens.get(endpoint.base);
      const headers = {
        'user-agent': this.options.userAgent ?? 'coxswain',
        ...(init.headers as Record<string, string>),
        ...(token ? { authorization: token } : {}),
      };
      return this.#send(url, { ...init, headers }, `registry ${endpoint.base}`, signal);
    };
    let response = await send();
    if (response.status === 401) {
      await response.body?.cancel();
      const token = await this.#login(response.headers.get('www-authenticate'), endpoint, reference, signal);
      if (token) {
        this.#tokens.set(endpoint.base, token);
        response = await send();
      }
    }
    if (response.ok) return response;
    throw statusError(response.status, formatReference(reference), url, await beginningOf(response));
  }

  async #login(header: string | null, endpoint: Endpoint, reference: ImageReference, signal?: AbortSignal): Promise<string | undefined> {
    const { auth } = this.options;
    if (auth?.registryToken && !this.#tokens.has(endpoint.base)) return `Bearer ${auth.registryToken}`;
    const challenge = parseChallenge(header);
    const login = userAndPassword(auth);
    const basic = login ? `Basic ${Buffer.from(`${login.user}:${login.password}`).toString('base64')}` : undefined;
    if (!challenge) return undefined;
    if (challenge.scheme === 'basic') return basic;
    const { realm, service, scope = `repository:${reference.path}:pull` } = challenge.parameters;
    if (!realm) throw new OciError('unauthorized', `registry ${endpoint.base} asks for a token without saying where to get it`);
    const url = URL.canParse(realm) ? new URL(realm) : undefined;
    if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
      throw new OciError('unauthorized', `registry ${endpoint.base} sends for a token to ${JSON.stringify(realm.slice(0, 200))}, which is no address`);
    let init: RequestInit = { headers: basic ? { authorization: basic } : {} };
    if (auth?.identityToken) {
      const fields = { grant_type: 'refresh_token', refresh_token: auth.identityToken, client_id: 'coxswain', scope, ...(service ? { service } : {}) };
      init = { method: 'POST', body: new URLSearchParams(fields) };
    } else {
      if (service) url.searchParams.set('service', service);
      url.searchParams.set('scope', scope);
    }
    const response = await this.#send(url.href, init, `the token service ${realm}`, signal);
    if (!response.ok) throw statusError(response.status, formatReference(reference), realm, await beginningOf(response));
    return `Bearer ${await tokenOf(response, realm)}`;
  }

  async #send(url: string, init: RequestInit, whom: string, signal?: AbortSignal): Promise<Response> {
    try {
      return await this.#fetch(url, { ...init, ...(signal ? { signal } : {}) });
    } catch (cause) {
      signal?.throwIfAborted();
      throw new OciError('unavailable', `cannot reach ${whom}: ${reasonOf(cause)}`, { cause });
    }
  }
}

/** What a header may carry (RFC 6750). */
const TOKEN = /^[\x21-\x7e]+$/;

async function tokenOf(response: Response, realm: string): Promise<string> {
  const bytes = await readLimited(bodyOf(response), MAX_TOKEN_BYTES, `the answer of the token service ${realm}`);
  const answer = readAnswer(bytes);
  const token = answer?.token ?? answer?.access_token;
  if (typeof token !== 'string' || !TOKEN.test(token)) throw new OciError('unauthorized', `the token service ${realm} answered without a token`);
  return token;
}

function readAnswer(bytes: Buffer): { readonly token?: unknown; readonly access_token?: unknown } | null {
  try {
    return JSON.parse(bytes.toString('utf8')) as ReturnType<typeof readAnswer>;
  } catch {
    return null;
  }
}

const bodyOf = (response: Response) => (response.body ?? []) as AsyncIterable<Uint8Array>;

/** Of a body of any length: enough for a message. */
async function beginningOf(response: Response): Promise<string> {
  let text = '';
  try {
    for await (const chunk of bodyOf(response)) if ((text += Buffer.from(chunk).toString('utf8')).length >= MAX_ERROR_TEXT) break;
  } catch {
    // The status says enough.
  }
  return text.slice(0, MAX_ERROR_TEXT);
}

/** A connection that ended in the middle of a body, in our words. */
function brokenOff(cause: unknown, what: string): unknown {
  if (cause instanceof OciError) return cause;
  const why = cause === undefined ? '' : `: ${reasonOf(cause)}`;
  return new OciError('unavailable', `the registry broke off while sending ${what}${why}`, { cause });
}

/** undici says no more than "fetch failed" or "terminated"; its cause says why. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

function statusError(status: number, image: string, url: string, body: string): OciError {
  const detail = body ? `: ${body.replace(/\s+/g, ' ')}` : '';
  switch (status) {
    case 401:
      return new OciError('unauthorized', `pull access denied for ${image}: authorization failed (401 from ${url})${detail}`);
    case 403:
      return new OciError('forbidden', `pull access denied for ${image} (403 from ${url})${detail}`);
    case 404:
      return new OciError('not-found', `${image}: not found (404 from ${url})`);
    case 429:
      return new OciError('too-many-requests', `the registry limits pulls of ${image} (429 from ${url})${detail}`);
    default:
      return status >= 500
        ? new OciError('unavailable', `registry error ${status} from ${url}${detail}`)
        : new OciError('invalid', `unexpected status ${status} from ${url}${detail}`);
  }
}

const backoff = (attempt: number) => Math.min(100 * 2 ** (attempt - 1), 3000);

function retryable(error: unknown): boolean {
  return error instanceof OciError && (error.code === 'unavailable' || error.code === 'too-many-requests');
}
