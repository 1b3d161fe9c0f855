import { clientConfig, HttpsTransport, parseKubeconfig } from '@coxswain/client';
import type { Clock, Random } from '@coxswain/sdk';
import { ReviewClient } from './review-client.js';

/** A webhook named by a kubeconfig: its server is the webhook, with its path; its user is who we are to it. Throws KubeconfigError. */
export function kubeconfigReviewClient(
  text: string,
  file: string,
  timeoutMs: number,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
): ReviewClient {
  const { transport } = clientConfig(parseKubeconfig(text, file), { clock });
  const { pathname } = new URL(transport.server);
  // The transport puts the server's path in front, and a path may not be empty.
  const path = pathname === '/' ? '/' : '';
  return new ReviewClient({ transport: new HttpsTransport(transport), path, userAgent: 'kube-apiserver', timeoutMs, clock, random });
}
