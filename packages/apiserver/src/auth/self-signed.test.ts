import { X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@coxswain/sdk';
import { afterAll, expect, it } from 'vitest';
import { selfSignedFiles } from './self-signed.js';

const parent = mkdtempSync(join(tmpdir(), 'self-signed-'));
afterAll(() => rmSync(parent, { recursive: true, force: true }));

it('makes a certificate that its own file vouches for, and keeps it', async () => {
  const options = { folder: join(parent, 'var', 'kubernetes'), hosts: ['192.0.2.1', 'api.example.org'], now: systemClock.now() };
  const { cert, key } = await selfSignedFiles(options);
  const pem = readFileSync(cert, 'utf8');
  const [leaf, ca] = pem.split(/(?<=-----END CERTIFICATE-----\n)/).map((text) => new X509Certificate(text));
  expect(leaf?.checkIssued(ca as X509Certificate) && leaf.verify((ca as X509Certificate).publicKey)).toBe(true);
  for (const ip of ['192.0.2.1', '127.0.0.1']) expect(leaf?.checkIP(ip)).toBe(ip);
  for (const host of ['api.example.org', 'localhost', 'kubernetes.default.svc']) expect(leaf?.checkHost(host)).toBe(host);
  expect(statSync(key).mode & 0o777).toBe(0o600);
  await selfSignedFiles(options);
  expect(readFileSync(cert, 'utf8')).toBe(pem);
});

it('begins again with what a crash has left', async () => {
  const options = { folder: join(parent, 'half'), hosts: ['192.0.2.1'], now: systemClock.now() };
  const { cert, key } = await selfSignedFiles(options);
  const before = readFileSync(key, 'utf8');
  rmSync(cert);
  await selfSignedFiles(options);
  expect(existsSync(cert)).toBe(true);
  expect(readFileSync(key, 'utf8')).not.toBe(before);
});
