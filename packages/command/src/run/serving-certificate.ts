import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { createCa, issueCertificate, type KeyPairPem, LEAF_VALIDITY_MS, writeFileAtomic } from '@coxswain/pki';
import type { Clock } from '@coxswain/sdk';
import { CliError } from '../cli-error.js';

export interface ServingCertificateOptions {
  /** Where the pair is kept as NAME.crt and NAME.key; empty: nowhere. */
  readonly folder: string;
  readonly name: string;
  readonly bindAddress: string;
  /** Further names and addresses it is for. */
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
  readonly clock: Clock;
}

/** A component's serving certificate, when it was given none: the one in the folder, or a new one signed by an authority of its own. */
export async function servingCertificate({
  folder,
  name,
  bindAddress,
  dnsNames = [],
  ipAddresses = [],
  clock,
}: ServingCertificateOptions): Promise<KeyPairPem> {
  const [certFile, keyFile] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  if (folder !== '' && existsSync(certFile) && existsSync(keyFile)) return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') };
  const now = clock.now();
  const host = hostname().toLowerCase();
  const ca = await createCa(`${host}-ca@${Math.floor(now / 1000)}`, now, LEAF_VALIDITY_MS);
  const any = bindAddress === '0.0.0.0' || bindAddress === '::';
  const leaf = await issueCertificate(ca, {
    subject: { commonName: `${host}@${Math.floor(now / 1000)}` },
    usage: 'server',
    dnsNames: [...new Set([host, 'localhost', ...dnsNames])],
    ipAddresses: [...new Set(['127.0.0.1', '::1', ...(any ? [] : [bindAddress]), ...ipAddresses])],
    now,
    validForMs: LEAF_VALIDITY_MS,
  });
  const pair = { cert: leaf.cert + ca.cert, key: leaf.key };
  if (folder === '') return pair;
  try {
    // The certificate last: with it, the pair is there.
    writeFileAtomic(keyFile, pair.key);
    writeFileAtomic(certFile, pair.cert, 0o644);
  } catch (error) {
    throw new CliError(`--cert-dir: ${(error as Error).message}`, 'name a folder that can be written to, or give --tls-cert-file', 1, { cause: error });
  }
  return pair;
}
