import { HttpsTransport, KubeClient } from '@coxswain/client';
import type { ClusterConfig } from '@coxswain/cluster';
import { adminEntry } from './kubeconfig.js';

/** What the command asks the API server as its administrator. */
export type AdminApi = ReturnType<typeof adminApi>;

export function adminApi(config: ClusterConfig) {
  const { cluster, user } = adminEntry(config);
  if ('token' in user) throw new Error('the administrator has a certificate');
  const transport = new HttpsTransport({ server: cluster.server, ca: cluster.certificateAuthority, cert: user.clientCertificate, key: user.clientKey });
  const client = new KubeClient({ transport, userAgent: 'cox', maxRetries: 0 });
  return {
    client,
    /** `ok`, or the checks that fail. */
    async readyz(): Promise<string> {
      const { status, body } = await transport.request({ method: 'GET', path: '/readyz', headers: {}, signal: AbortSignal.timeout(2000) });
      const text = new TextDecoder().decode(body);
      return status === 200 ? 'ok' : text;
    },
    nodes: async () => (await client.api.nodes().list()).items,
    pods: async () => (await client.api.pods().list()).items,
    close: () => client.close(),
  };
}
