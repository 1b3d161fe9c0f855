import { HttpsTransport, KubeClient } from '@coxswain/client';
import type { ClusterPki, KeyPairPem } from '@coxswain/pki';
import type { Clock } from '@coxswain/sdk';
import type { ClusterConfig } from './cluster-spec.js';

/** The API server as components on this machine reach it. */
export function apiServerUrl(config: ClusterConfig): string {
  return `https://127.0.0.1:${config.ports.apiServer}`;
}

/** A client that is who its certificate says. */
export function clientFor(config: ClusterConfig, pki: ClusterPki, identity: KeyPairPem, userAgent: string, clock: Clock): KubeClient {
  const transport = new HttpsTransport({ server: apiServerUrl(config), ca: pki.ca.cert, cert: identity.cert, key: identity.key, clock });
  return new KubeClient({ transport, userAgent: `${userAgent}/v1.36.0`, clock });
}
