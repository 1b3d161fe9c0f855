import { clientConfig, HttpsTransport, KubeClient, readKubeconfig } from '@coxswain/client';
import type { Clock } from '@coxswain/sdk';
import { accountToken } from './account-token.js';

/** How a controller manager reaches the API server: as its kubeconfig says, and as the account of kube-system that a controller has. */
export interface ManagerClients {
  readonly client: KubeClient;
  /** For `--use-service-account-credentials`: the account is made when there is none. */
  clientFor(account: string): KubeClient;
}

/** From the kubeconfig file at `path`; throws what `readKubeconfig` throws. `userAgent`: `kube-controller-manager/v1.36.0`. */
export function managerClients(path: string, userAgent: string, clock: Clock): ManagerClients {
  const { transport } = clientConfig(readKubeconfig({ path }));
  const client = new KubeClient({ transport: new HttpsTransport(transport), userAgent });
  // An account is told by its token alone: the manager's own certificate stays away.
  const { cert: _cert, key: _key, headers: _headers, ...server } = transport;
  return {
    client,
    clientFor: (account) =>
      new KubeClient({
        transport: new HttpsTransport({ ...server, token: accountToken(client, account, clock) }),
        userAgent: `${userAgent}/system:serviceaccount:kube-system:${account}`,
      }),
  };
}
