import { CA_VALIDITY_MS, createCa, issueCertificate, type KeyPairPem, LEAF_VALIDITY_MS, newEcKey, privateKeyPem } from '@coxswain/pki';

export interface TestCertificates {
  readonly ca: KeyPairPem;
  /** What the API server and every kubelet serve with. */
  readonly serving: KeyPairPem;
  /** PEM. */
  readonly serviceAccountKey: string;
}

/**
 * As few as will do, since making them is a good part of the start: components in this process need none, and the administrator has
 * a token. All keys are EC: an RSA key alone takes longer than everything else.
 */
export async function testCertificates(now: number, kubeletAddresses: readonly string[]): Promise<TestCertificates> {
  const ca = await createCa('kubernetes', now, CA_VALIDITY_MS);
  const serving = await issueCertificate(ca, {
    usage: 'server',
    subject: { commonName: 'kube-apiserver' },
    dnsNames: ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local', 'localhost'],
    ipAddresses: ['127.0.0.1', ...kubeletAddresses],
    now,
    validForMs: LEAF_VALIDITY_MS,
  });
  return { ca, serving, serviceAccountKey: privateKeyPem(newEcKey()) };
}
