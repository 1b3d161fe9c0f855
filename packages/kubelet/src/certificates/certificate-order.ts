import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import type { CertificateSigningRequest } from '@coxswain/api';
import { isAlreadyExists, isNotFound } from '@coxswain/apimachinery';
import type { KubeClient } from '@coxswain/client';
import { createSigningRequest, newEcKey, privateKeyPem, readPrivateKey } from '@coxswain/pki';
import type { Clock } from '@coxswain/sdk';
import type { CertificateStore } from './certificate-store.js';

/** Which certificate a kubelet wants. */
export interface CertificateOrder {
  readonly signerName: 'kubernetes.io/kube-apiserver-client-kubelet' | 'kubernetes.io/kubelet-serving';
  readonly usages: readonly ['digital signature', 'client auth' | 'server auth'];
  readonly nodeName: string;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

export const clientOrder = (nodeName: string): CertificateOrder => ({
  signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
  usages: ['digital signature', 'client auth'],
  nodeName,
  dnsNames: [],
  ipAddresses: [],
});

export const servingOrder = (nodeName: string, dnsNames: readonly string[], ipAddresses: readonly string[]): CertificateOrder => ({
  signerName: 'kubernetes.io/kubelet-serving',
  usages: ['digital signature', 'server auth'],
  nodeName,
  dnsNames,
  ipAddresses,
});

/** The request was turned down for good: asking again takes another key. */
export class CertificateRefused extends Error {
  override readonly name = 'CertificateRefused';
}

/** Upstream's patience with approvers. */
const PATIENCE_MS = 15 * 60_000;
const MAX_POLL_MS = 2000;

/**
 * Asks the cluster's signer for a certificate and puts it, once issued, into the store. The key is on disk before it is asked for, and the request's
 * name follows from it: whoever is interrupted goes on with the same request.
 */
export async function orderCertificate(client: KubeClient, store: CertificateStore, order: CertificateOrder, clock: Clock, signal: AbortSignal): Promise<void> {
  const key = store.pendingKey(() => privateKeyPem(newEcKey()));
  try {
    store.update({ cert: await issued(client, key, order, clock, signal), key }, clock.now());
  } catch (error) {
    if (error instanceof CertificateRefused) store.forgetPendingKey();
    throw error;
  }
}

async function issued(client: KubeClient, key: string, order: CertificateOrder, clock: Clock, signal: AbortSignal): Promise<string> {
  const requests = client.api.certificateSigningRequests();
  const name = requestName(key, order);
  const give = clock.monotonic() + PATIENCE_MS;
  for (let wait = 50; ; wait = Math.min(wait * 2, MAX_POLL_MS)) {
    const found = await requests.get(name, { signal }).catch((error: unknown) => {
      if (isNotFound(error)) return undefined;
      throw error;
    });
    const csr = found ?? (await create(client, name, key, order, signal));
    const cert = csr && certificateOf(csr, clock.now());
    if (cert !== undefined) return cert;
    if (clock.monotonic() > give)
      throw new Error(`the certificate signing request ${name} was not answered within ${PATIENCE_MS / 60_000} minutes: is it approved?`);
    await clock.sleep(wait, signal);
  }
}

async function create(
  client: KubeClient,
  name: string,
  key: string,
  order: CertificateOrder,
  signal: AbortSignal,
): Promise<CertificateSigningRequest | undefined> {
  const { nodeName, dnsNames, ipAddresses, signerName, usages } = order;
  const subject = { commonName: `system:node:${nodeName}`, organizations: ['system:nodes'] };
  const { request } = await createSigningRequest(subject, { dnsNames, ipAddresses }, key);
  try {
    return await client.api.certificateSigningRequests().create(
      {
        apiVersion: 'certificates.k8s.io/v1',
        kind: 'CertificateSigningRequest',
        metadata: { name },
        spec: { signerName, usages: [...usages], request: Buffer.from(request).toString('base64') },
      },
      { signal },
    );
  } catch (error) {
    if (isAlreadyExists(error)) return undefined;
    throw error;
  }
}

function certificateOf({ metadata, status }: CertificateSigningRequest, now: number): string | undefined {
  const against = status?.conditions?.find((c) => (c.type === 'Denied' || c.type === 'Failed') && c.status !== 'False');
  if (against)
    throw new CertificateRefused(
      `certificate signing request ${metadata.name} is ${against.type.toLowerCase()}, reason: ${against.reason ?? ''}, message: ${against.message ?? ''}`,
    );
  if (!status?.certificate) return undefined;
  const cert = Buffer.from(status.certificate, 'base64').toString();
  if (Date.parse(new X509Certificate(cert).validTo) <= now) throw new CertificateRefused(`the certificate of the signing request ${metadata.name} has expired`);
  return cert;
}

/** The same key asking for the same thing is the same request. */
function requestName(key: string, order: CertificateOrder): string {
  const publicKey = createPublicKey(readPrivateKey(key)).export({ type: 'spki', format: 'der' });
  const hash = createHash('sha256').update(publicKey).update(JSON.stringify(order)).digest('hex');
  return `node-csr-${hash.slice(0, 43)}`;
}

/** Whether a certificate is what the order asks for. */
export function fulfils(cert: string, order: CertificateOrder, now: number): boolean {
  const x509 = new X509Certificate(cert);
  return (
    Date.parse(x509.validTo) > now &&
    x509.subject.split('\n').includes(`CN=system:node:${order.nodeName}`) &&
    order.dnsNames.every((name) => x509.checkHost(name, { subject: 'never' }) !== undefined) &&
    order.ipAddresses.every((ip) => x509.checkIP(ip) !== undefined)
  );
}
