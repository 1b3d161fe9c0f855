import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCa, createSigningRequest, ensureClusterPki, issueCertificate, jwks, parseSigningRequest, PkiError, signRequest } from './index.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pki-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const now = Date.UTC(2026, 0, 1);
const options = (more: object = {}) => ({
  dir,
  apiServerNames: ['here'],
  apiServerIPs: ['10.96.0.1'],
  clusterDomain: 'cluster.local',
  nodeName: 'n1',
  nodeIPs: ['192.0.2.1'],
  now,
  ...more,
});

describe('ensureClusterPki', () => {
  test('makes a complete folder once, with private keys nobody else can read', async () => {
    const first = await ensureClusterPki(options());
    const ca = new X509Certificate(first.ca.cert);
    expect(ca.ca).toBe(true);
    const api = new X509Certificate(first.leaf.apiserver.cert);
    expect(api.verify(ca.publicKey)).toBe(true);
    expect(api.checkIP('10.96.0.1')).toBe('10.96.0.1');
    expect(api.checkHost('kubernetes.default.svc.cluster.local')).toBeDefined();
    expect(new X509Certificate(first.leaf['kubelet-client'].cert).subject.split('\n')).toEqual(expect.arrayContaining(['O=system:nodes', 'CN=system:node:n1']));
    expect(statSync(first.path('ca.key')).mode & 0o777).toBe(0o600);
    expect(statSync(first.path('sa.key')).mode & 0o777).toBe(0o600);
    expect((await ensureClusterPki(options())).written).toEqual([]);
  });

  test('makes again only what is missing, damaged, about to expire or does not match', async () => {
    const first = await ensureClusterPki(options());
    rmSync(first.path('admin.crt'));
    writeFileSync(first.path('scheduler.crt'), 'rubbish');
    expect((await ensureClusterPki(options())).written).toEqual(['admin.key', 'admin.crt', 'scheduler.key', 'scheduler.crt']);
    expect((await ensureClusterPki(options({ nodeIPs: ['192.0.2.9'] }))).written).toEqual([
      'kubelet.key',
      'kubelet.crt',
      'addon-serving.key',
      'addon-serving.crt',
    ]);
    const later = await ensureClusterPki(options({ now: now + 350 * 24 * 3600 * 1000, nodeIPs: ['192.0.2.9'] }));
    expect(later.written).toContain('apiserver.crt');
    expect(later.written).not.toContain('ca.crt');
  });

  test('never replaces an authority', async () => {
    const first = await ensureClusterPki(options());
    const before = readFileSync(first.path('ca.crt'), 'utf8');
    rmSync(first.path('ca.key'));
    await expect(ensureClusterPki(options())).rejects.toThrow(PkiError);
    await expect(ensureClusterPki(options())).rejects.toThrow(/ca\.crt.*restore both files/);
    expect(readFileSync(first.path('ca.crt'), 'utf8')).toBe(before);
  });
});

test('a signing request keeps its subject and names, and a forged one is refused', async () => {
  const ca = await createCa('test', now);
  const { request } = await createSigningRequest(
    { commonName: 'system:node:a', organizations: ['system:nodes'] },
    { dnsNames: ['a'], ipAddresses: ['192.0.2.7'] },
  );
  expect(await parseSigningRequest(request)).toMatchObject({
    subject: { commonName: 'system:node:a', organizations: ['system:nodes'] },
    dnsNames: ['a'],
    ipAddresses: ['192.0.2.7'],
  });
  const cert = new X509Certificate(await signRequest(ca, request, { usage: 'client', now, validForMs: 3600_000 }));
  expect(cert.verify(new X509Certificate(ca.cert).publicKey)).toBe(true);
  expect(Date.parse(cert.validTo)).toBe(now + 3600_000);
  await expect(parseSigningRequest('nonsense')).rejects.toThrow('not a PEM encoded');
});

describe('by the standards', () => {
  const openssl = (args: readonly string[], input?: string) =>
    execFileSync('openssl', args, { encoding: 'utf8', cwd: dir, stdio: ['pipe', 'pipe', 'ignore'], ...(input ? { input } : {}) });
  const names = { dnsNames: ['a.example', '*.b.example'], ipAddresses: ['192.0.2.7', 'fd00::1:2', '::'] };

  test('openssl reads a certificate as it was meant, and verifies it', async () => {
    const ca = await createCa('Test Äuthority', now);
    const leaf = await issueCertificate(ca, {
      subject: { commonName: 'system:node:a', organizations: ['system:nodes', 'große'] },
      usage: 'server-and-client',
      ...names,
      now,
      validForMs: 40 * 365 * 24 * 3600_000,
    });
    writeFileSync(join(dir, 'ca.crt'), ca.cert);
    writeFileSync(join(dir, 'leaf.crt'), leaf.cert);
    expect(openssl(['verify', '-x509_strict', '-attime', String(now / 1000), '-CAfile', 'ca.crt', 'leaf.crt'])).toBe('leaf.crt: OK\n');
    const text = openssl(['x509', '-in', 'leaf.crt', '-noout', '-text', '-nameopt', 'utf8,sep_comma_plus']);
    for (const part of [
      'Subject: O=system:nodes,O=große,CN=system:node:a',
      'Issuer: CN=Test Äuthority',
      'DNS:a.example, DNS:*.b.example, IP Address:192.0.2.7, IP Address:FD00:0:0:0:0:0:1:2, IP Address:0:0:0:0:0:0:0:0',
      'TLS Web Server Authentication, TLS Web Client Authentication',
      'Not Before: Dec 31 23:55:00 2025 GMT',
      'ASN1 OID: prime256v1',
    ])
      expect(text).toContain(part);
    expect(text).toMatch(/Basic Constraints: critical\s+CA:FALSE\s+X509v3 Key Usage: critical\s+Digital Signature, Key Encipherment\s/);
    expect(new X509Certificate(leaf.cert).validTo).toBe(new X509Certificate(ca.cert).validTo);
  });

  test('an authority of openssl signs, with an RSA key, and after 2050', async () => {
    openssl(['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '20000', '-subj', '/C=DE/O=Acme/CN=kubernetes']);
    const ca = { cert: readFileSync(join(dir, 'ca.crt'), 'utf8'), key: readFileSync(join(dir, 'ca.key'), 'utf8') };
    const leaf = await issueCertificate(ca, { subject: { commonName: 'x' }, usage: 'client', now: Date.UTC(2026, 0, 1), validForMs: 30 * 365 * 24 * 3600_000 });
    writeFileSync(join(dir, 'leaf.crt'), leaf.cert);
    expect(openssl(['verify', '-attime', String(Date.UTC(2055, 0, 1) / 1000), '-CAfile', 'ca.crt', 'leaf.crt'])).toBe('leaf.crt: OK\n');
    expect(new X509Certificate(leaf.cert).checkIssued(new X509Certificate(ca.cert))).toBe(true);
  });

  test.each([
    ['ec', generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey],
    ['rsa', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey],
    ['ed25519', generateKeyPairSync('ed25519').privateKey],
  ])('openssl and we read each other\u2019s requests: %s', async (_, key) => {
    const pem = key.export({ type: 'pkcs8', format: 'pem' }) as string;
    const { request } = await createSigningRequest({ commonName: 'c', organizations: ['o'] }, names, pem);
    expect(openssl(['req', '-verify', '-noout', '-text'], request)).toContain('DNS:a.example');
    writeFileSync(join(dir, 'key.pem'), pem);
    const san = 'subjectAltName=DNS:a,IP:fd00::9,URI:spiffe://x/y,email:a@b.c';
    const theirs = openssl(['req', '-new', '-key', 'key.pem', '-subj', '/O=system:masters/CN=jane', '-addext', san]);
    expect(await parseSigningRequest(theirs)).toMatchObject({
      subject: { commonName: 'jane', organizations: ['system:masters'] },
      dnsNames: ['a'],
      ipAddresses: ['fd00::9'],
      uris: ['spiffe://x/y'],
      emails: ['a@b.c'],
    });
  });

  test('a request that was changed or cut off is refused', async () => {
    const { request } = await createSigningRequest({ commonName: 'jane' });
    const bytes = Buffer.from(request.split('-----')[2] as string, 'base64');
    const pem = (of: Buffer) => `-----BEGIN CERTIFICATE REQUEST-----\n${of.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    const forged = Buffer.from(bytes);
    forged.write('joan', forged.indexOf('jane'));
    await expect(parseSigningRequest(pem(forged))).rejects.toThrow('the signature of the certificate request is wrong');
    for (let length = 0; length < bytes.length; length++)
      await expect(parseSigningRequest(pem(bytes.subarray(0, length)))).rejects.toThrow('not a PEM encoded');
  });

  test('an address that is none is named', async () => {
    await expect(createSigningRequest({ commonName: 'c' }, { ipAddresses: ['10.0.0.256'] })).rejects.toThrow('"10.0.0.256" is not an IP address');
  });
});

test('the JWKS carries public parts only', async () => {
  const { serviceAccount } = await ensureClusterPki(options());
  const [key] = jwks([serviceAccount.publicKey]).keys;
  expect(key).toMatchObject({ kty: 'EC', alg: 'ES256', use: 'sig' });
  expect(key).not.toHaveProperty('d');
});
