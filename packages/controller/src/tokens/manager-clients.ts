import { HttpsTransport, type HttpsTransportOptions, KubeClient, limitedTransport, type RequestLimit, type Transport } from '@coxswain/client';
import type { Clock } from '@coxswain/sdk';
import { accountToken } from './account-token.js';

/** How a controller manager reaches the API server: as its kubeconfig says, and as the account of kube-system that a controller has. */
export interface ManagerClients {
  readonly client: KubeClient;
  /** For `--use-service-account-credentials`: the account is made when there is none. */
  clientFor(account: string): KubeClient;
}

/** `transport`: the manager's own. `userAgent`: `kube-controller-manager/v1.36.0`. `limit`: of each client's requests. */
export function managerClients(transport: HttpsTransportOptions, userAgent: string, clock: Clock, limit?: RequestLimit): ManagerClients {
  const limited = (options: HttpsTransportOptions): Transport => {
    const unlimited = new HttpsTransport(options);
    return limit ? limitedTransport(unlimited, limit, clock) : unlimited;
  };
  const client = new KubeClient({ transport: limited(transport), userAgent });
  // An account is told by its token alone: the manager's own certificate stays away.
  const { cert: _cert, key: _key, headers: _headers, ...server } = transport;
  return {
    client,
    clientFor: (account) =>
      new KubeClient({
        transport: limited({ ...server, token: accountToken(client, account, clock) }),
        userAgent: `${userAgent}/system:serviceaccount:kube-system:${account}`,
      }),
  };
}
