import { createCa, createServiceAccountKeys, issueCertificate, type KeyPairPem } from '@coxswain/pki';
import { systemClock } from '@coxswain/sdk';

export interface TestCertificates {
  readonly authority: KeyPairPem;
  /** Of a server on loopback. */
  readonly serving: KeyPairPem;
  /** PEM. */
  readonly serviceAccountKey: string;
}

const HOUR_MS = 3_600_000;
let made: Promise<TestCertificates> | undefined;

/** The same ones for all API servers of a process: making them takes longer than starting a server. */
export function testCertificates(): Promise<TestCertificates> {
  made ??= make();
  return made;
}

async function make(): Promise<TestCertificates> {
  const authority = await createCa('test', systemClock.now());
  const serving = await issue(authority, 'apiserver', ['localhost']);
  return { authority, serving, serviceAccountKey: createServiceAccountKeys().privateKey };
}

/** What another server on loopback serves with under these names, and the CA it has alone; PEM. */
export async function servingCertificate(...dnsNames: string[]): Promise<KeyPairPem & { readonly ca: string }> {
  const authority = await createCa('other', systemClock.now());
  return { ...(await issue(authority, 'server', dnsNames)), ca: authority.cert };
}

function issue(authority: KeyPairPem, commonName: string, dnsNames: readonly string[]): Promise<KeyPairPem> {
  const names = { subject: { commonName }, dnsNames, ipAddresses: ['127.0.0.1'] };
  return issueCertificate(authority, { usage: 'server', ...names, now: systemClock.now(), validForMs: HOUR_MS });
}
