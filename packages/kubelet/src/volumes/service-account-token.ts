import type { Pod, ServiceAccountTokenProjection } from '@coxswain/api';
import type { KubeClient } from '@coxswain/client';
import type { Clock } from '@coxswain/sdk';

interface Cached {
  readonly token: string;
  readonly renewAt: number;
  readonly expiresAt: number;
}

interface TokenRequestAnswer {
  readonly status?: { readonly token?: string; readonly expirationTimestamp?: string };
}

const DAY_MS = 86_400_000;

/** Tokens of service accounts bound to pods, asked for when first needed and again at 80 % of their life or after a day. */
export class TokenManager {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #tokens = new Map<string, Cached>();

  constructor(client: KubeClient, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** The token, and when (ms) to ask again. A token that lives still is used when the API server does not answer. */
  async token(pod: Pod, source: ServiceAccountTokenProjection, signal: AbortSignal): Promise<{ readonly token: string; readonly renewAt: number }> {
    const { uid = '', name = '', namespace = 'default' } = pod.metadata ?? {};
    const account = pod.spec?.serviceAccountName || 'default';
    const seconds = source.expirationSeconds ?? 3600;
    const key = JSON.stringify([uid, account, source.audience ?? '', seconds]);
    const cached = this.#tokens.get(key);
    const now = this.#clock.now();
    if (cached && now < cached.renewAt) return cached;
    try {
      const answer = await this.#client.api
        .serviceAccounts(namespace)
        .subresource<TokenRequestAnswer>(account, 'token')
        .create(
          {
            apiVersion: 'authentication.k8s.io/v1',
            kind: 'TokenRequest',
            spec: {
              audiences: source.audience ? [source.audience] : [],
              expirationSeconds: seconds,
              boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
            },
          },
          { signal },
        );
      const token = answer.status?.token;
      if (!token) throw new Error(`the API server gave no token for service account ${namespace}/${account}`);
      const expiresAt = Date.parse(answer.status?.expirationTimestamp ?? '') || now + seconds * 1000;
      const fresh: Cached = { token, expiresAt, renewAt: Math.min(now + (expiresAt - now) * 0.8, now + DAY_MS) };
      this.#tokens.set(key, fresh);
      return fresh;
    } catch (error) {
      if (cached && now < cached.expiresAt) return { token: cached.token, renewAt: now + 30_000 };
      throw error;
    }
  }

  forget(uid: string): void {
    for (const key of this.#tokens.keys()) if (key.startsWith(`["${uid}"`)) this.#tokens.delete(key);
  }
}
