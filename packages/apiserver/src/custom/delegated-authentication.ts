import type { ConfigMap } from '@coxswain/api';
import { isForbidden, isNotFound } from '@coxswain/apimachinery';
import type { KubeClient } from '@coxswain/client';
import type { AuthenticationRequest, AuthenticationResult, Authenticator, Clock, Logger, Random } from '@coxswain/sdk';
import { certificateAuthenticator } from '../auth/certificate-authenticator.js';
import { frontProxyAuthenticator } from '../auth/front-proxy-authenticator.js';
import { ReviewClient } from '../auth/webhook/review-client.js';
import { tokenReviewAuthenticator } from '../auth/webhook/token-review-authenticator.js';

const NAMESPACE = 'kube-system';
const NAME = 'extension-apiserver-authentication';
const RETRY_MS = 500;
const FOLLOW_AGAIN_MS = 5000;
const TTL_MS = 10_000;
const TIMEOUT_MS = 10_000;

export interface DelegatedOptions {
  readonly client: KubeClient;
  readonly userAgent: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The CAs client certificates may be signed by have changed. */
  readonly onAuthorities: (pem: string | undefined) => void;
}

/**
 * Who asks, as the primary says: users it vouches for in headers (when it shows its own certificate), holders of client certificates
 * of the cluster's CA, and tokens it reviews. What to trust is read from the primary's config map, and followed.
 */
export class DelegatedAuthentication {
  readonly #end = new AbortController();
  #current: readonly Authenticator[] = [];
  #applied = '';
  #following: Promise<void> | undefined;

  constructor(readonly options: DelegatedOptions) {}

  readonly authenticator: Authenticator = {
    name: 'delegated',
    authenticate: (request, signal) => this.#ask(request, signal),
  };

  /** Resolves when it is known whom to trust. */
  async start(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.options;
    let version = '';
    for (let attempt = 0; version === ''; attempt++) {
      signal.throwIfAborted();
      try {
        version = this.#apply(await this.options.client.api.configMaps(NAMESPACE).get(NAME, { signal }));
      } catch (error) {
        if (signal.aborted) throw error;
        if (attempt === 0) {
          const why = isForbidden(error)
            ? `: bind role ${NAMESPACE}/extension-apiserver-authentication-reader to this server's user`
            : isNotFound(error)
              ? ': the primary has not made it yet'
              : '';
          logger.info(`waiting for config map ${NAMESPACE}/${NAME}${why}`, { err: error });
        }
        await clock.sleep(RETRY_MS, signal);
      }
    }
    this.#following = this.#follow(version);
  }

  async stop(): Promise<void> {
    this.#end.abort();
    await this.#following;
  }

  async #follow(from: string): Promise<void> {
    const { client, clock } = this.options;
    const { signal } = this.#end;
    const maps = client.api.configMaps(NAMESPACE);
    let version = from;
    while (!signal.aborted) {
      try {
        const fieldSelector = `metadata.name=${NAME}`;
        for await (const event of maps.watch({ fieldSelector, resourceVersion: version, signal })) {
          if (event.type === 'ADDED' || event.type === 'MODIFIED') version = this.#apply(event.object as ConfigMap);
        }
      } catch {
        // The primary restarts, or has forgotten the version: what is known stays in force, and the map is read again.
        await clock.sleep(FOLLOW_AGAIN_MS, signal).catch(() => {});
        const map = signal.aborted ? undefined : await maps.get(NAME, { signal }).catch(() => undefined);
        if (map) version = this.#apply(map);
      }
    }
  }

  #apply(map: ConfigMap): string {
    const data = map.data ?? {};
    const version = map.metadata?.resourceVersion ?? '0';
    const text = JSON.stringify(data);
    if (text === this.#applied) return version;
    const { client, clock, random, logger, userAgent, onAuthorities } = this.options;
    const clientCA = data['client-ca-file'];
    const proxyCA = data['requestheader-client-ca-file'];
    const list = (key: string): string[] => {
      try {
        return JSON.parse(data[key] ?? '[]') as string[];
      } catch {
        logger.warn(`config map ${NAMESPACE}/${NAME}: ${key} is not a JSON list`);
        return [];
      }
    };
    const path = '/apis/authentication.k8s.io/v1/tokenreviews';
    const reviews = new ReviewClient({ transport: client.rest.transport, path, userAgent, timeoutMs: TIMEOUT_MS, clock, random });
    const proxy = {
      ca: proxyCA ?? '',
      allowedNames: list('requestheader-allowed-names'),
      userHeaders: list('requestheader-username-headers'),
      uidHeaders: list('requestheader-uid-headers'),
      groupHeaders: list('requestheader-group-headers'),
      extraPrefixes: list('requestheader-extra-headers-prefix'),
    };
    this.#current = [
      ...(proxyCA ? [frontProxyAuthenticator(proxy, clock)] : []),
      ...(clientCA ? [certificateAuthenticator(clock, { clientCA, frontProxyCA: proxyCA })] : []),
      tokenReviewAuthenticator({ name: 'token-review', client: reviews, version: 'v1', ttlMs: TTL_MS, implicitAudiences: [], clock, logger }),
    ];
    this.#applied = text;
    onAuthorities([clientCA, proxyCA].filter((pem) => pem).join('\n') || undefined);
    return version;
  }

  async #ask(request: AuthenticationRequest, signal: AbortSignal): Promise<AuthenticationResult> {
    let failed: AuthenticationResult = { type: 'none' };
    for (const authenticator of this.#current) {
      const result = await authenticator.authenticate(request, signal);
      if (result.type === 'user') return result;
      if (result.type === 'failed') failed = result;
    }
    return failed;
  }
}
