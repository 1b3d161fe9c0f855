import { existsSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { createCa, issueCertificate, LEAF_VALIDITY_MS } from './certificate.js';
import { writeFileAtomic } from './files.js';
import type { KeyPairPem } from './pem.js';

/** A serving certificate for names and addresses, under an authority of its own whose certificate follows it: who trusts the text trusts the server. `now`: milliseconds. */
export async function selfSigned(hosts: readonly string[], now: number): Promise<KeyPairPem> {
  const all = [...new Set(hosts)];
  const who = all[0] ?? 'localhost';
  const ca = await createCa(`${who}-ca@${Math.floor(now / 1000)}`, now, LEAF_VALIDITY_MS);
  const leaf = await issueCertificate(ca, {
    subject: { commonName: `${who}@${Math.floor(now / 1000)}` },
    usage: 'server',
    dnsNames: all.filter((name) => isIP(name) === 0),
    ipAddresses: all.filter((name) => isIP(name) !== 0),
    now,
    validForMs: LEAF_VALIDITY_MS,
  });
  return { cert: leaf.cert + ca.cert, key: leaf.key };
}

export interface KeptCertificate extends KeyPairPem {
  readonly certFile: string;
  readonly keyFile: string;
}

/** As `selfSigned`, made once and kept as NAME.crt and NAME.key, as upstream keeps it in `--cert-dir`. Throws the file system's errors. */
export async function keptSelfSigned(folder: string, name: string, hosts: readonly string[], now: number): Promise<KeptCertificate> {
  const certFile = join(folder, `${name}.crt`);
  const keyFile = join(folder, `${name}.key`);
  if (existsSync(certFile) && existsSync(keyFile)) return { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8'), certFile, keyFile };
  const pair = await selfSigned(hosts, now);
  // The certificate last: without it the key is what a crash has left.
  writeFileAtomic(keyFile, pair.key);
  writeFileAtomic(certFile, pair.cert, 0o644);
  return { ...pair, certFile, keyFile };
}
