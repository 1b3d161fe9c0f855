import type { KubeClient } from '@coxswain/client';
import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { LOGGING_NAMESPACE, LOGGING_USER } from './names.js';

/**
 * Who may ask: the API server, which has checked who is behind it and whether they may (it shows its front-proxy certificate), and
 * the logging add-ons of other nodes. Everybody else is refused.
 */
export type Caller = 'api-server' | 'peer';

export interface CallerRules {
  readonly frontProxyCa: string;
  readonly allowedNames: readonly string[];
  readonly clientCa: string;
  readonly peerName: string;
}

const AUTHENTICATION = 'extension-apiserver-authentication';

/** As upstream's aggregated servers learn it: from the API server's own ConfigMap. */
export async function readCallerRules(client: KubeClient, clientCa: string, signal: AbortSignal): Promise<CallerRules> {
  const { data = {} } = await client.api.configMaps(LOGGING_NAMESPACE).get(AUTHENTICATION, { signal });
  const frontProxyCa = data['requestheader-client-ca-file'];
  if (!frontProxyCa)
    throw new Error(`ConfigMap ${LOGGING_NAMESPACE}/${AUTHENTICATION} has no requestheader-client-ca-file: the API server has no front-proxy certificate`);
  const allowedNames = JSON.parse(data['requestheader-allowed-names'] ?? '[]') as string[];
  return { frontProxyCa, allowedNames, clientCa, peerName: LOGGING_USER };
}

export function callerOf(socket: TLSSocket, rules: CallerRules, now: number): Caller | undefined {
  const peer = socket.getPeerCertificate();
  if (!peer?.raw) return undefined;
  const certificate = new X509Certificate(peer.raw);
  if (Date.parse(certificate.validTo) < now || Date.parse(certificate.validFrom) > now) return undefined;
  const name = [peer.subject?.CN ?? ''].flat()[0] ?? '';
  const issuedBy = (pem: string) => {
    const authority = new X509Certificate(pem);
    return certificate.checkIssued(authority) && certificate.verify(authority.publicKey);
  };
  if ((rules.allowedNames.length === 0 || rules.allowedNames.includes(name)) && issuedBy(rules.frontProxyCa)) return 'api-server';
  if (name === rules.peerName && issuedBy(rules.clientCa)) return 'peer';
  return undefined;
}
