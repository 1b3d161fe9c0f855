import { type KeyObject, webcrypto } from 'node:crypto';
import { type KeyPairPem, newEcKey, privateKeyPem, readPrivateKey } from './pem.js';
import { EC_ALGORITHM, x509 } from './x509-init.js';

export interface Subject {
  readonly commonName: string;
  /** Kubernetes reads the groups of a client certificate from here. */
  readonly organizations?: readonly string[];
}

export type CertificateUsage = 'server' | 'client' | 'server-and-client';

export interface CertificateRequest {
  readonly subject: Subject;
  readonly usage: CertificateUsage;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly validForMs: number;
}

const DAY_MS = 24 * 3600 * 1000;
/** As kubeadm: ten years for authorities, one for leaves. */
export const CA_VALIDITY_MS = 3650 * DAY_MS;
export const LEAF_VALIDITY_MS = 365 * DAY_MS;
/** Clocks of a cluster may differ a little. */
const BACKDATE_MS = 5 * 60 * 1000;

const EKU = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;

/** A new self-signed authority. */
export async function createCa(commonName: string, now: number, validForMs = CA_VALIDITY_MS): Promise<KeyPairPem> {
  const key = newEcKey();
  const keys = await importPair(key);
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: distinguishedName({ commonName }),
    notBefore: new Date(now - BACKDATE_MS),
    notAfter: new Date(now + validForMs),
    signingAlgorithm: EC_ALGORITHM,
    keys: keys as never,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey as never),
    ],
  });
  return { cert: `${cert.toString('pem')}\n`, key: privateKeyPem(key) };
}

/** A new key with a certificate for it, signed by the authority. */
export async function issueCertificate(ca: KeyPairPem, request: CertificateRequest): Promise<KeyPairPem> {
  const key = newEcKey();
  const { publicKey } = await importPair(key);
  return { cert: await signPublicKey(ca, publicKey, request), key: privateKeyPem(key) };
}

/** Certify a public key. */
export async function signPublicKey(ca: KeyPairPem, publicKey: webcrypto.CryptoKey, request: CertificateRequest): Promise<string> {
  const caCert = new x509.X509Certificate(ca.cert);
  const { privateKey } = await importPair(readPrivateKey(ca.key));
  const usages = request.usage === 'server-and-client' ? [EKU.server, EKU.client] : [EKU[request.usage]];
  const names = [
    ...(request.dnsNames ?? []).map((value) => ({ type: 'dns' as const, value })),
    ...(request.ipAddresses ?? []).map((value) => ({ type: 'ip' as const, value })),
  ];
  const cert = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: distinguishedName(request.subject),
    issuer: caCert.subject,
    notBefore: new Date(request.now - BACKDATE_MS),
    // Nobody can vouch for longer than they live.
    notAfter: new Date(Math.min(request.now + request.validForMs, caCert.notAfter.getTime())),
    signingAlgorithm: EC_ALGORITHM,
    publicKey: publicKey as never,
    signingKey: privateKey as never,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension(usages),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
      await x509.AuthorityKeyIdentifierExtension.create(caCert.publicKey),
    ],
  });
  return `${cert.toString('pem')}\n`;
}

function distinguishedName({ commonName, organizations = [] }: Subject): string {
  return new x509.Name([...organizations.map((o) => ({ O: [o] })), { CN: [commonName] }]).toString();
}

/** 126 random bits, positive: RFC 5280 §4.1.2.2. */
function serial(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}

async function importPair(key: KeyObject): Promise<webcrypto.CryptoKeyPair> {
  const jwk = key.export({ format: 'jwk' });
  const { d: _private, ...publicJwk } = jwk;
  const algorithm = { name: 'ECDSA', namedCurve: jwk.crv ?? 'P-256' };
  return {
    privateKey: await webcrypto.subtle.importKey('jwk', jwk as webcrypto.JsonWebKey, algorithm, true, ['sign']),
    publicKey: await webcrypto.subtle.importKey('jwk', { ...publicJwk, key_ops: ['verify'] } as webcrypto.JsonWebKey, algorithm, true, ['verify']),
  };
}
