import { X509Certificate } from 'node:crypto';
import type { RequestUser } from './reviews.js';

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

/** Whom a client certificate names: CN is the user, each O a group. */
export function certificateUser(cert: X509Certificate): RequestUser {
  const fields = cert.subject.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const);
  return { name: fields.find(([k]) => k === 'CN')?.[1] ?? '', groups: [...fields.filter(([k]) => k === 'O').map(([, v]) => v), 'system:authenticated'] };
}

/** Whether one of the authorities signed the certificate, for clients, and it is valid now (milliseconds since the epoch). */
export function isClientOf(cert: X509Certificate, authorities: readonly X509Certificate[], now: number): boolean {
  if (Date.parse(cert.validFrom) > now || Date.parse(cert.validTo) < now) return false;
  // Node names extended usages here.
  if (cert.keyUsage && !cert.keyUsage.includes(CLIENT_AUTH)) return false;
  return isIssuedBy(cert, authorities);
}

/** The certificates of a PEM bundle. */
export function certificatesIn(pem: string | undefined): X509Certificate[] {
  return (pem?.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []).map((one) => new X509Certificate(one));
}

export function isIssuedBy(certificate: X509Certificate, authorities: readonly X509Certificate[]): boolean {
  return authorities.some((authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey));
}
