import { createPublicKey } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { HttpsTransport } from '@coxswain/client';
import type { Clock } from '@coxswain/sdk';

export interface JsonWebKeysOptions {
  readonly issuerUrl: string;
  readonly discoveryUrl?: string;
  readonly certificateAuthority?: string;
  readonly clock: Clock;
}

export interface PublicKey {
  readonly id: string | undefined;
  readonly algorithm: string | undefined;
  readonly key: KeyObject;
}

const TIMEOUT_MS = 30_000;
/** After which keys are looked at again, so that one that was taken back is known to be. */
const MAX_AGE_MS = 300_000;
/** Not more often, whatever tokens come along. */
const MIN_AGE_MS = 10_000;

/** The keys of an issuer, found by its discovery document; read when first needed, when a token names an unknown one, and now and then. */
export class JsonWebKeys {
  #keys: readonly PublicKey[] | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;
  #failure: Error | undefined;

  constructor(readonly options: JsonWebKeysOptions) {}

  /** Keys a token may be signed with. Rejects when the issuer has never been reached. */
  async candidates(keyId: string | undefined): Promise<readonly PublicKey[]> {
    const matching = () => (this.#keys ?? []).filter(({ id }) => keyId === undefined || id === undefined || id === keyId);
    const age = this.options.clock.monotonic() - this.#readAt;
    if (this.#keys === undefined || matching().length === 0) {
      if (age > MIN_AGE_MS || this.#reading) await this.#read();
    } else if (age > MAX_AGE_MS) void this.#read();
    if (this.#keys === undefined) throw this.#failure ?? new Error('oidc: authenticator not initialized');
    return matching();
  }

  /** One at a time; a failure leaves the keys that are known. */
  #read(): Promise<void> {
    this.#readAt = this.options.clock.monotonic();
    this.#reading ??= this.#fetchKeys()
      .then(
        (keys) => {
          this.#keys = keys;
          this.#failure = undefined;
        },
        (error: unknown) => {
          this.#failure = error as Error;
        },
      )
      .finally(() => {
        this.#reading = undefined;
      });
    return this.#reading;
  }

  async #fetchKeys(): Promise<readonly PublicKey[]> {
    const { issuerUrl, discoveryUrl = `${issuerUrl.replace(/\/$/, '')}/.well-known/openid-configuration` } = this.options;
    const { issuer, jwks_uri: keysUrl } = (await this.#json(discoveryUrl)) as { issuer?: unknown; jwks_uri?: unknown };
    if (issuer !== issuerUrl)
      throw new Error(`oidc: issuer did not match the issuer returned by provider, expected ${JSON.stringify(issuerUrl)} got ${JSON.stringify(issuer)}`);
    if (typeof keysUrl !== 'string' || !keysUrl.startsWith('https://')) throw new Error(`oidc: ${discoveryUrl} names no https jwks_uri`);
    const { keys } = (await this.#json(keysUrl)) as { keys?: unknown };
    if (!Array.isArray(keys)) throw new Error(`oidc: ${keysUrl} is not a key set`);
    return keys.flatMap((jwk: JsonWebKey & { kid?: string; alg?: string; use?: string }) => {
      if (jwk.use !== undefined && jwk.use !== 'sig') return [];
      try {
        return [{ id: jwk.kid, algorithm: jwk.alg, key: createPublicKey({ key: jwk, format: 'jwk' }) }];
      } catch {
        // Of a kind we do not know: tokens signed with it are refused, others are not.
        return [];
      }
    });
  }

  async #json(address: string): Promise<unknown> {
    const { certificateAuthority, clock } = this.options;
    const { origin, pathname, search } = new URL(address);
    const transport = new HttpsTransport({ server: origin, ...(certificateAuthority ? { ca: certificateAuthority } : {}), clock });
    const limit = new AbortController();
    const cancel = clock.setTimeout(() => limit.abort(new Error('context deadline exceeded')), TIMEOUT_MS);
    try {
      const answer = await transport.request({
        method: 'GET',
        path: pathname,
        query: search.slice(1),
        headers: { accept: 'application/json', 'user-agent': 'kube-apiserver' },
        signal: limit.signal,
      });
      const text = Buffer.from(answer.body).toString();
      if (answer.status !== 200) throw new Error(`oidc: ${address} answered ${answer.status}: ${text.trim().slice(0, 200)}`);
      return JSON.parse(text);
    } finally {
      cancel();
      await transport.close();
    }
  }
}
