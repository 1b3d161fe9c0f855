import { KUBERNETES_VERSION } from '@coxswain/sdk';
import { ApiError } from '@coxswain/apimachinery';
import { RestClient, TransportError, type Transport } from '@coxswain/client';
import { WebError } from '../server/web-exchange.js';
import type { SessionUser } from './session-store.js';

const USER_AGENT = `coxswain-dashboard/${KUBERNETES_VERSION}`;

/** Ask the API server whom it takes the credentials' bearer for. Throws `WebError` when for nobody. */
export async function whoAmI(transport: Transport): Promise<SessionUser> {
  const rest = new RestClient({ transport, userAgent: USER_AGENT, maxRetries: 0 });
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  try {
    const { status } = await rest.json<{ status?: { userInfo?: { username?: string; groups?: string[] } } }>({
      method: 'POST',
      path: '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      body,
      signal: AbortSignal.timeout(10_000),
    });
    const username = status?.userInfo?.username ?? '';
    if (username === '' || username === 'system:anonymous') throw new WebError(401, 'the API server does not know these credentials');
    return { username, groups: status?.userInfo?.groups ?? [] };
  } catch (error) {
    if (error instanceof ApiError && (error.code === 401 || error.code === 403)) throw new WebError(401, 'the API server does not know these credentials');
    if (error instanceof TransportError) throw new WebError(502, `the API server cannot be reached: ${error.message}`);
    throw error;
  }
}

/** Whether the user may read this path of the API server. */
export async function mayRead(transport: Transport, path: string): Promise<boolean> {
  const rest = new RestClient({ transport, userAgent: USER_AGENT, maxRetries: 0 });
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { nonResourceAttributes: { path, verb: 'get' } },
  };
  const { status } = await rest.json<{ status?: { allowed?: boolean } }>({
    method: 'POST',
    path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    body,
    signal: AbortSignal.timeout(10_000),
  });
  return status?.allowed === true;
}
