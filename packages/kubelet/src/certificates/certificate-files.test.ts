import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCa, issueCertificate, type KeyPairPem } from '@coxswain/pki';
import { silentLogger } from '@coxswain/sdk';
import { FakeClock } from '@coxswain/sdk-testing';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { CertificateFiles } from './certificate-files.js';

const soon = { timeout: 30_000, interval: 20 };

let dir: string;
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), 'kubelet-serving-'))));
afterEach(() => rm(dir, { recursive: true }));

async function pairOf(commonName: string): Promise<KeyPairPem> {
  const now = Date.now();
  return issueCertificate(await createCa('ca', now), { subject: { commonName }, usage: 'server', now, validForMs: 60_000 });
}

it('a renewed certificate is told once both of its files are; half of it, and nonsense, are waited out', async () => {
  const clock = new FakeClock();
  const files = { cert: join(dir, 'tls.crt'), key: join(dir, 'tls.key') };
  const [old, renewed] = await Promise.all([pairOf('old'), pairOf('renewed')]);
  await writeFile(files.cert, old.cert);
  await writeFile(files.key, old.key);
  const warned = vi.fn<() => void>();
  const certificate = new CertificateFiles(files, old, clock, { ...silentLogger, warn: warned });
  const told: KeyPairPem[] = [];
  certificate.onChange((pair) => void told.push(pair));
  await certificate.start();
  await writeFile(files.cert, renewed.cert);
  await writeFile(files.key, 'no key');
  await vi.waitFor(async () => {
    await clock.advance(30_000);
    expect(warned).toHaveBeenCalled();
  }, soon);
  expect(told).toEqual([]);
  await writeFile(files.key, renewed.key);
  await vi.waitFor(async () => {
    await clock.advance(30_000);
    expect(told).toEqual([renewed]);
  }, soon);
  expect(certificate.current).toEqual(renewed);
  await certificate.stop();
});
