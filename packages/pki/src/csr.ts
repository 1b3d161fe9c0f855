import { webcrypto } from 'node:crypto';
import { type CertificateRequest, type Subject, signPublicKey } from './certificate.js';
import { type KeyPairPem, newEcKey, privateKeyPem, readPrivateKey } from './pem.js';
import { EC_ALGORITHM, x509 } from './x509-init.js';

export interface SigningRequest {
  readonly subject: Subject;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly uris: readonly string[];
  readonly emails: readonly string[];
}

/** A PKCS#10 request, as kubelets make them, for a new key or for the one that is given (PEM, EC P-256). */
export async function createSigningRequest(
  subject: Subject,
  names: { readonly dnsNames?: readonly string[]; readonly ipAddresses?: readonly string[] } = {},
  ownKey?: string,
): Promise<{ readonly request: string; readonly key: string }> {
  const key = ownKey === undefined ? newEcKey() : readPrivateKey(ownKey);
  const pkcs8 = key.export({ type: 'pkcs8', format: 'der' });
  const spki = key.export({ format: 'jwk' });
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const { d: _private, ...publicJwk } = spki;
  const keys = {
    privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, true, ['sign']),
    publicKey: await webcrypto.subtle.importKey('jwk', publicJwk as webcrypto.JsonWebKey, algorithm, true, ['verify']),
  };
  const alternatives = [
    ...(names.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(names.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ];
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: new x509.Name([...(subject.organizations ?? []).map((o) => ({ O: [o] })), { CN: [subject.commonName] }]).toString(),
    keys: keys as never,
    signingAlgorithm: EC_ALGORITHM,
    extensions: alternatives.length > 0 ? [new x509.SubjectAlternativeNameExtension(alternatives)] : [],
  });
  return { request: `${request.toString('pem')}\n`, key: privateKeyPem(key) };
}

/** What a request asks for. Rejects when it is not a request or its signature is wrong. */
export async function parseSigningRequest(pem: string): Promise<SigningRequest & { readonly publicKey: webcrypto.CryptoKey }> {
  let request: InstanceType<typeof x509.Pkcs10CertificateRequest>;
  try {
    request = new x509.Pkcs10CertificateRequest(pem);
  } catch (error) {
    throw new Error(`not a PEM encoded PKCS#10 certificate request: ${(error as Error).message}`, { cause: error });
  }
  if (!(await request.verify())) throw new Error('the signature of the certificate request is wrong');
  const alternatives = request.extensions.find((e) => e instanceof x509.SubjectAlternativeNameExtension);
  const names = alternatives instanceof x509.SubjectAlternativeNameExtension ? alternatives.names.items : [];
  const of = (type: string) => names.filter((n) => n.type === type).map((n) => n.value);
  return {
    subject: { commonName: request.subjectName.getField('CN')[0] ?? '', organizations: request.subjectName.getField('O') },
    dnsNames: of('dns'),
    ipAddresses: of('ip'),
    uris: of('url'),
    emails: of('email'),
    publicKey: (await request.publicKey.export()) as unknown as webcrypto.CryptoKey,
  };
}

/** Sign a request as it stands: subject and names are taken from it. Who may have what is the caller's decision. */
export async function signRequest(ca: KeyPairPem, pem: string, options: Pick<CertificateRequest, 'usage' | 'now' | 'validForMs'>): Promise<string> {
  const { publicKey, subject, dnsNames, ipAddresses } = await parseSigningRequest(pem);
  return signPublicKey(ca, publicKey, { ...options, subject, dnsNames, ipAddresses });
}
