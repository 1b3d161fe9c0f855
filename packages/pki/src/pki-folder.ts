import { join } from 'node:path';
import { CA_VALIDITY_MS, type CertificateUsage, createCa, issueCertificate, LEAF_VALIDITY_MS, type Subject } from './certificate.js';
import { readIfThere, writeFileAtomic } from './files.js';
import { renewalReason } from './inspect.js';
import type { KeyPairPem } from './pem.js';
import { createServiceAccountKeys, type ServiceAccountKeys } from './service-account-keys.js';

/** A key of the folder is gone or damaged and cannot be made again without breaking what trusts it. */
export class PkiError extends Error {
  override readonly name = 'PkiError';
}

export type AuthorityName = 'ca' | 'front-proxy-ca';

/** A certificate that is to be in the folder. */
export interface PlannedLeaf<Authority extends string = AuthorityName> {
  readonly ca: Authority;
  readonly usage: CertificateUsage;
  readonly subject: Subject;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
}

const RENEW_BEFORE_MS = 30 * 24 * 3600 * 1000;

/** A folder of keys and certificates, named as kubeadm names them: `<name>.key` and `<name>.crt`. Files are written whole. */
export class PkiFolder {
  /** Files that were written. */
  readonly written: string[] = [];

  constructor(
    readonly dir: string,
    private readonly now: number,
  ) {}

  path(file: string): string {
    return join(this.dir, file);
  }

  has(file: string): boolean {
    return readIfThere(this.path(file)) !== undefined;
  }

  require(file: string): string {
    const content = readIfThere(this.path(file));
    if (content === undefined) throw new PkiError(`${this.path(file)} is missing`);
    return content;
  }

  /** Both must be there. */
  pair(name: string): KeyPairPem {
    return { cert: this.require(`${name}.crt`), key: this.require(`${name}.key`) };
  }

  /** Written when it differs. */
  ensureFile(file: string, content: string, mode: number): void {
    if (readIfThere(this.path(file)) !== content) this.write(file, content, mode);
  }

  /** An authority of another folder, with its key. */
  authorityOf(name: string, pair: KeyPairPem): void {
    this.ensureFile(`${name}.key`, pair.key, 0o600);
    this.certificateOf(name, pair);
  }

  /** An authority of another folder, without its key: to check with, not to sign. */
  certificateOf(name: string, pair: Pick<KeyPairPem, 'cert'>): void {
    this.ensureFile(`${name}.crt`, pair.cert, 0o644);
  }

  /** The authority in the folder, made when there is none; never replaced. */
  async authority(name: string, commonName: string): Promise<KeyPairPem> {
    const found = this.read(name);
    // A key without its certificate is a first start that was cut short: nothing can trust it yet.
    if (found.cert === undefined) return this.store(name, await createCa(commonName, this.now, CA_VALIDITY_MS));
    const reason = renewalReason(found, found.cert, { commonName }, this.now, 0);
    if (reason !== undefined) {
      throw new PkiError(
        `the authority ${this.path(`${name}.crt`)} with its key cannot be used: ${reason}; restore both files, or remove the folder ${this.dir} to make a new PKI (every client then needs a new kubeconfig)`,
      );
    }
    return found as KeyPairPem;
  }

  /** Every leaf planned: kept when it is good, else issued anew. */
  async leaves<Name extends string, Authority extends string>(
    planned: Record<Name, PlannedLeaf<Authority>>,
    authorities: Record<Authority, KeyPairPem>,
  ): Promise<Record<Name, KeyPairPem>> {
    const leaves = {} as Record<Name, KeyPairPem>;
    for (const [name, plan] of Object.entries(planned) as [Name, PlannedLeaf<Authority>][]) {
      const ca = authorities[plan.ca];
      const found = this.read(name);
      const expected = {
        ...plan.subject,
        ...(plan.dnsNames ? { dnsNames: plan.dnsNames } : {}),
        ...(plan.ipAddresses ? { ipAddresses: plan.ipAddresses } : {}),
      };
      leaves[name] =
        renewalReason(found, ca.cert, expected, this.now, RENEW_BEFORE_MS) === undefined
          ? (found as KeyPairPem)
          : this.store(name, await issueCertificate(ca, { ...plan, now: this.now, validForMs: LEAF_VALIDITY_MS }));
    }
    return leaves;
  }

  serviceAccountKeys(): ServiceAccountKeys {
    const privateKey = readIfThere(this.path('sa.key'));
    const publicKey = readIfThere(this.path('sa.pub'));
    if (privateKey !== undefined && publicKey !== undefined) return { privateKey, publicKey };
    // The private key is written last, so it alone cannot be a start cut short.
    if (privateKey !== undefined)
      throw new PkiError(
        `${this.path('sa.pub')} is missing beside ${this.path('sa.key')}; restore it, or remove both to make a new pair (every service account token is then void)`,
      );
    const keys = createServiceAccountKeys();
    this.write('sa.pub', keys.publicKey, 0o644);
    this.write('sa.key', keys.privateKey);
    return keys;
  }

  private read(name: string): Partial<KeyPairPem> {
    const cert = readIfThere(this.path(`${name}.crt`));
    const key = readIfThere(this.path(`${name}.key`));
    return { ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
  }

  private store(name: string, pair: KeyPairPem): KeyPairPem {
    this.write(`${name}.key`, pair.key);
    this.write(`${name}.crt`, pair.cert, 0o644);
    return pair;
  }

  private write(file: string, content: string, mode?: number): void {
    writeFileAtomic(this.path(file), content, mode);
    this.written.push(file);
  }
}
