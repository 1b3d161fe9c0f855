import { isAlreadyExists, isNotFound } from '@coxswain/apimachinery';
import type { KubeClient, TokenSource } from '@coxswain/client';
import type { Clock } from '@coxswain/sdk';

const NAMESPACE = 'kube-system';
const LIFETIME_SECONDS = 3600;
/** Renewed after this part of its life. */
const RENEW_AFTER = 0.8;

interface TokenRequest {
  readonly status?: { readonly token?: string };
}

/**
 * Tokens of a service account of kube-system, for a controller to act as it (`--use-service-account-credentials`): asked for by
 * `manager` when first needed and again before they end; the account is made when there is none.
 */
export function accountToken(manager: KubeClient, account: string, clock: Clock): TokenSource {
  let current: { readonly token: Promise<string>; readonly until: number } | undefined;
  return () => {
    if (current && clock.monotonic() < current.until) return current.token;
    const token = request(manager, account);
    const next = { token, until: clock.monotonic() + LIFETIME_SECONDS * 1000 * RENEW_AFTER };
    current = next;
    token.catch(() => {
      if (current === next) current = undefined;
    });
    return token;
  };
}

async function request(manager: KubeClient, account: string): Promise<string> {
  const accounts = manager.api.serviceAccounts(NAMESPACE);
  const ask = () =>
    accounts.subresource<TokenRequest>(account, 'token').create({
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      metadata: {},
      spec: { audiences: [], expirationSeconds: LIFETIME_SECONDS },
    });
  const answer = await ask().catch(async (error: unknown) => {
    if (!isNotFound(error)) throw error;
    await accounts.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account } }).catch((why: unknown) => {
      if (!isAlreadyExists(why)) throw why;
    });
    return ask();
  });
  if (!answer.status?.token) throw new Error(`the API server gave no token for ${NAMESPACE}/${account}`);
  return answer.status.token;
}
