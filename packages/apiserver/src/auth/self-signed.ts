import { existsSync } from 'node:fs';
import { chmod, mkdir, open, rename } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { createCa, issueCertificate, LEAF_VALIDITY_MS } from '@coxswain/pki';

export interface SelfSignedOptions {
  /** Folder it is kept in, made when it is missing. */
  readonly folder: string;
  /** What the server is reached at; its certificate is also for localhost and the names of the `kubernetes` Service. */
  readonly hosts: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const SERVICE = ['kubernetes.default.svc', 'kubernetes.default', 'kubernetes', 'localhost'];

/**
 * The files `apiserver.crt` and `apiserver.key`: made once, under an authority of their own whose certificate follows in the first, and taken as
 * they are from then on. Clients that trust the file trust the server.
 */
export async function selfSignedFiles({ folder, hosts, now }: SelfSignedOptions): Promise<{ readonly cert: string; readonly key: string }> {
  const files = { cert: join(folder, 'apiserver.crt'), key: join(folder, 'apiserver.key') };
  // The certificate is written last: without it the key is what a crash has left.
  if (existsSync(files.cert) && existsSync(files.key)) return files;
  const all = [...new Set([...hosts, '127.0.0.1', ...SERVICE])];
  const [host = 'localhost'] = hosts;
  const ca = await createCa(`${host}-ca@${Math.floor(now / 1000)}`, now, LEAF_VALIDITY_MS);
  const leaf = await issueCertificate(ca, {
    subject: { commonName: `${host}@${Math.floor(now / 1000)}` },
    usage: 'server',
    dnsNames: all.filter((name) => isIP(name) === 0),
    ipAddresses: all.filter((name) => isIP(name) !== 0),
    now,
    validForMs: LEAF_VALIDITY_MS,
  });
  await mkdir(folder, { recursive: true, mode: 0o755 });
  await writeWhole(files.key, leaf.key, 0o600);
  await writeWhole(files.cert, leaf.cert + ca.cert, 0o644);
  return files;
}

async function writeWhole(path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  const file = await open(temporary, 'w', mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await chmod(temporary, mode);
  await rename(temporary, path);
}
