import { HttpsTransport, KubeClient } from '@coxswain/client';
import type { KeyPairPem } from '@coxswain/pki';
import { KUBERNETES_VERSION, type Clock } from '@coxswain/sdk';
import type { ClusterConfig } from './cluster-spec.js';

/**
 * The API server as components reach it: from the machine on loopback, from a host at the machine's end of their link. With hosts, the
 * balancer in front of all API servers listens at both.
 */
export function apiServerUrl(config: ClusterConfig): string {
  return `https://${config.host ? config.hostNetwork.gateway : '127.0.0.1'}:${config.ports.apiServer}`;
}

/** A client that is who its certificate says. */
export function clientFor(
  config: ClusterConfig,
  pki: { readonly ca: Pick<KeyPairPem, 'cert'> },
  identity: KeyPairPem,
  userAgent: string,
  clock: Clock,
): KubeClient {
  const transport = new HttpsTransport({ server: apiServerUrl(config), ca: pki.ca.cert, cert: identity.cert, key: identity.key, clock });
  return new KubeClient({ transport, userAgent: `${userAgent}/${KUBERNETES_VERSION}`, clock });
}
