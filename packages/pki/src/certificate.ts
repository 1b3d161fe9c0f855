import { createPublicKey, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { contextTag, der, type DerValue, membersOf, readDer, sequence, Tag, time, toPem } from './der.js';
import {
  authorityKeyId,
  basicConstraints,
  extendedKeyUsage,
  extension,
  findSubjectKeyId,
  keyIdOf,
  keyUsage,
  SUBJECT_ALTERNATIVE_NAME,
  subjectKeyId,
} from './extensions.js';
import { distinguishedName, generalNames, type Subject } from './names.js';
import { type KeyPairPem, newEcKey, privateKeyPem, readPrivateKey } from './pem.js';
import { algorithmOf, signed } from './signatures.js';

export type { Subject } from './names.js';

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
const VERSION_3 = der(contextTag(0, true), der(Tag.integer, Uint8Array.of(2)));

/** A new self-signed authority. */
export async function createCa(commonName: string, now: number, validForMs = CA_VALIDITY_MS): Promise<KeyPairPem> {
  const key = newEcKey();
  const publicKey = createPublicKey(key);
  const name = distinguishedName({ commonName });
  const extensions = [basicConstraints(true), keyUsage('digitalSignature', 'keyEncipherment', 'keyCertSign', 'cRLSign'), subjectKeyId(keyIdOf(publicKey))];
  return {
    cert: certificate({ issuer: name, subject: name, from: now - BACKDATE_MS, to: now + validForMs, publicKey, extensions }, key),
    key: privateKeyPem(key),
  };
}

/** A new key with a certificate for it, signed by the authority. */
export async function issueCertificate(ca: KeyPairPem, request: CertificateRequest): Promise<KeyPairPem> {
  const key = newEcKey();
  return { cert: await signPublicKey(ca, createPublicKey(key), request), key: privateKeyPem(key) };
}

/** Certify a public key. */
export async function signPublicKey(ca: KeyPairPem, publicKey: KeyObject, request: CertificateRequest): Promise<string> {
  const authority = new X509Certificate(ca.cert);
  const { subject: issuer, keyId } = readAuthority(authority);
  const { usage, dnsNames = [], ipAddresses = [], now, validForMs } = request;
  const extensions = [
    basicConstraints(false),
    keyUsage('digitalSignature', 'keyEncipherment'),
    usage === 'server-and-client' ? extendedKeyUsage('server', 'client') : extendedKeyUsage(usage),
    ...(dnsNames.length + ipAddresses.length > 0 ? [extension(SUBJECT_ALTERNATIVE_NAME, generalNames({ dnsNames, ipAddresses }))] : []),
    authorityKeyId(keyId),
  ];
  // Nobody can vouch for longer than they live.
  const to = Math.min(now + validForMs, Date.parse(authority.validTo));
  const subject = distinguishedName(request.subject);
  return certificate({ issuer, subject, from: now - BACKDATE_MS, to, publicKey, extensions }, readPrivateKey(ca.key));
}

interface Contents {
  /** In DER, as are subject and extensions. */
  readonly issuer: Buffer;
  readonly subject: Buffer;
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Buffer[];
}

/** RFC 5280 §4.1, as PEM. */
function certificate({ issuer, subject, from, to, publicKey, extensions }: Contents, key: KeyObject): string {
  const body = sequence(
    VERSION_3,
    der(Tag.integer, serial()),
    algorithmOf(key).id,
    issuer,
    sequence(time(from), time(to)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(contextTag(3, true), sequence(...extensions)),
  );
  return toPem('CERTIFICATE', signed(body, key));
}

/** What certificates of this authority have to say about it, in its own words: verifiers compare bytes. */
function readAuthority({ raw, publicKey }: X509Certificate): { readonly subject: Buffer; readonly keyId: Buffer } {
  const body = membersOf(membersOf(readDer(raw)[0])[0]);
  // A certificate of version 1 has no field for the version.
  const fields = body[0]?.tag === contextTag(0, true) ? body.slice(1) : body;
  const subject = (fields[4] as DerValue).whole;
  const extensions = fields.find(({ tag }) => tag === contextTag(3, true));
  return { subject, keyId: (extensions && findSubjectKeyId(membersOf(extensions, contextTag(3, true))[0])) ?? keyIdOf(publicKey) };
}

/** 126 random bits, positive: RFC 5280 §4.1.2.2. */
function serial(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] as number) & 0x3f) | 0x40;
  return bytes;
}
