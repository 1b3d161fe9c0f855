import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createCa, createSigningRequest, ensureClusterPki, jwks, parseSigningRequest, PkiError, signRequest } from './index.js';

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

test('the JWKS carries public parts only', async () => {
  const { serviceAccount } = await ensureClusterPki(options());
  const [key] = jwks([serviceAccount.publicKey]).keys;
  expect(key).toMatchObject({ kty: 'EC', alg: 'ES256', use: 'sig' });
  expect(key).not.toHaveProperty('d');
});
