import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { KeyPairPem } from './pem.js';
import { readPrivateKey } from './pem.js';

export interface ExpectedCertificate {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
}

/** Why a certificate has to be made again; undefined when it is good. `renewBeforeMs`: how long it must still be valid. */
export function renewalReason(pair: Partial<KeyPairPem>, ca: string, expected: ExpectedCertificate, now: number, renewBeforeMs: number): string | undefined {
  if (pair.cert === undefined || pair.key === undefined) return 'missing';
  let cert: X509Certificate;
  try {
    cert = new X509Certificate(pair.cert);
    if (!cert.checkPrivateKey(readPrivateKey(pair.key))) return 'the key does not belong to the certificate';
  } catch {
    return 'damaged';
  }
  if (!cert.verify(new X509Certificate(ca).publicKey)) return 'signed by another authority';
  if (Date.parse(cert.validTo) - now < renewBeforeMs) return 'expires soon';
  const subject = cert.subject.split('\n');
  if (!subject.includes(`CN=${expected.commonName}`)) return 'another subject';
  if ((expected.organizations ?? []).some((o) => !subject.includes(`O=${o}`))) return 'another organization';
  if ((expected.dnsNames ?? []).some((name) => cert.checkHost(name, { subject: 'never' }) === undefined)) return 'a DNS name is missing';
  if ((expected.ipAddresses ?? []).some((ip) => cert.checkIP(ip) === undefined)) return 'an address is missing';
  return undefined;
}

/** The parts of a certificate people ask for. Times in milliseconds since the epoch. */
export function describeCertificate(pem: string): {
  readonly subject: string;
  readonly notAfter: number;
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
} {
  const cert = new X509Certificate(pem);
  const names = (cert.subjectAltName ?? '').split(', ').filter(Boolean);
  return {
    subject: cert.subject,
    notAfter: Date.parse(cert.validTo),
    dnsNames: names.filter((n) => n.startsWith('DNS:')).map((n) => n.slice(4)),
    ipAddresses: names
      .filter((n) => n.startsWith('IP Address:'))
      .map((n) => n.slice(11))
      .filter((ip) => isIP(ip) !== 0),
  };
}
