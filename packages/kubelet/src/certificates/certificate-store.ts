import { X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type KeyPairPem, readPrivateKey, writeFileAtomic } from '@coxswain/pki';

/**
 * Certificates of one purpose on disk, as upstream lays them: `NAME-<time>.pem` holds certificate and key, `NAME-current.pem` is a link to the
 * newest. The link is swapped at once, so at every instant it names a whole file.
 */
export class CertificateStore {
  readonly currentPath: string;
  readonly #pendingPath: string;

  constructor(
    private readonly folder: string,
    private readonly name: 'kubelet-client' | 'kubelet-server',
  ) {
    this.currentPath = join(folder, `${name}-current.pem`);
    this.#pendingPath = join(folder, `${name}.key.tmp`);
  }

  /** Undefined: none, or what is there is no certificate with its key. */
  current(): KeyPairPem | undefined {
    const text = read(this.currentPath);
    if (text === undefined) return undefined;
    const blocks = text.match(/-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g) ?? [];
    const cert = blocks.filter((b) => b.startsWith('-----BEGIN CERTIFICATE-----')).join('\n');
    const key = blocks.find((b) => b.includes('PRIVATE KEY-----'));
    if (cert === '' || key === undefined) return undefined;
    try {
      return new X509Certificate(cert).checkPrivateKey(readPrivateKey(key)) ? { cert: `${cert}\n`, key: `${key}\n` } : undefined;
    } catch {
      return undefined;
    }
  }

  /** Makes this pair the current one. */
  update({ cert, key }: KeyPairPem, now: number): void {
    const stamp = new Date(now).toISOString().slice(0, 19).replace(/[T:]/g, '-');
    const file = `${this.name}-${stamp}.pem`;
    mkdirSync(this.folder, { recursive: true, mode: 0o755 });
    writeFileAtomic(join(this.folder, file), `${cert.trimEnd()}\n${key.trimEnd()}\n`);
    const link = `${this.currentPath}.tmp`;
    rmSync(link, { force: true });
    symlinkSync(join(this.folder, file), link);
    renameSync(link, this.currentPath);
    this.forgetPendingKey();
  }

  /** The key whose certificate was asked for and has not come: who starts again asks for the same one. */
  pendingKey(make: () => string): string {
    const known = read(this.#pendingPath);
    try {
      if (known !== undefined) {
        readPrivateKey(known);
        return known;
      }
    } catch {
      // Not a whole key.
    }
    const key = make();
    mkdirSync(this.folder, { recursive: true, mode: 0o755 });
    writeFileAtomic(this.#pendingPath, key);
    return key;
  }

  forgetPendingKey(): void {
    rmSync(this.#pendingPath, { force: true });
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
