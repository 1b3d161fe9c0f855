import { join } from 'node:path';
import { CA_VALIDITY_MS, type CertificateUsage, createCa, issueCertificate, LEAF_VALIDITY_MS, type Subject } from './certificate.js';
import { readIfThere, writeFileAtomic } from './files.js';
import { renewalReason } from './inspect.js';
import type { KeyPairPem } from './pem.js';
import { createServiceAccountKeys, type ServiceAccountKeys } from './service-account-keys.js';

export interface ClusterPkiOptions {
  /** Folder of the files, named as kubeadm names them. */
  readonly dir: string;
  /** Names and addresses the API server is reached by, besides `kubernetes.default…` and localhost. */
  readonly apiServerNames: readonly string[];
  readonly apiServerIPs: readonly string[];
  readonly clusterDomain: string;
  readonly nodeName: string;
  readonly nodeIPs: readonly string[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const leaves = [
  'apiserver',
  'apiserver-kubelet-client',
  'front-proxy-client',
  'admin',
  'controller-manager',
  'scheduler',
  'kubelet-client',
  'kubelet',
  'kube-proxy',
  'dns',
] as const;
export type LeafName = (typeof leaves)[number];

/** All keys and certificates of a cluster on one machine, PEM. */
export interface ClusterPki {
  readonly ca: KeyPairPem;
  readonly frontProxyCa: KeyPairPem;
  readonly serviceAccount: ServiceAccountKeys;
  readonly leaf: Readonly<Record<LeafName, KeyPairPem>>;
  /** Files that were written: what was missing, damaged, about to expire or did not match. */
  readonly written: readonly string[];
  path(file: string): string;
}

/** A key of the folder is gone or damaged and cannot be made again without breaking what trusts it. */
export class PkiError extends Error {
  override readonly name = 'PkiError';
}

const RENEW_BEFORE_MS = 30 * 24 * 3600 * 1000;

interface Leaf {
  readonly ca: 'ca' | 'front-proxy-ca';
  readonly usage: CertificateUsage;
  readonly subject: Subject;
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
}

function plannedLeaves(o: ClusterPkiOptions): Record<LeafName, Leaf> {
  const apiNames = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    `kubernetes.default.svc.${o.clusterDomain}`,
    'localhost',
    ...o.apiServerNames,
  ];
  const client = (commonName: string, ...organizations: string[]): Leaf => ({ ca: 'ca', usage: 'client', subject: { commonName, organizations } });
  return {
    apiserver: {
      ca: 'ca',
      usage: 'server',
      subject: { commonName: 'kube-apiserver' },
      dnsNames: [...new Set(apiNames)],
      ipAddresses: [...new Set(['127.0.0.1', '::1', ...o.apiServerIPs])],
    },
    'apiserver-kubelet-client': client('kube-apiserver-kubelet-client', 'system:masters'),
    'front-proxy-client': { ca: 'front-proxy-ca', usage: 'client', subject: { commonName: 'front-proxy-client' } },
    admin: client('kubernetes-admin', 'system:masters'),
    'controller-manager': client('system:kube-controller-manager'),
    scheduler: client('system:kube-scheduler'),
    'kubelet-client': client(`system:node:${o.nodeName}`, 'system:nodes'),
    kubelet: {
      ca: 'ca',
      usage: 'server',
      subject: { commonName: `system:node:${o.nodeName}`, organizations: ['system:nodes'] },
      dnsNames: [o.nodeName],
      ipAddresses: o.nodeIPs,
    },
    'kube-proxy': client('system:kube-proxy', 'system:node-proxier'),
    dns: client('system:coxswain:dns'),
  };
}

/**
 * The cluster's PKI folder, completed: whatever is missing, damaged, about to expire or no longer matches is made again, the rest
 * is left as it is. Authorities are never replaced. Each file is written whole, a key before its certificate, so that a crash
 * leaves nothing that the next call does not repair.
 */
export async function ensureClusterPki(options: ClusterPkiOptions): Promise<ClusterPki> {
  const path = (file: string) => join(options.dir, file);
  const written: string[] = [];
  const write = (file: string, content: string, mode?: number) => {
    writeFileAtomic(path(file), content, mode);
    written.push(file);
  };
  const read = (name: string): Partial<KeyPairPem> => {
    const cert = readIfThere(path(`${name}.crt`));
    const key = readIfThere(path(`${name}.key`));
    return { ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
  };
  const store = (name: string, pair: KeyPairPem): KeyPairPem => {
    write(`${name}.key`, pair.key);
    write(`${name}.crt`, pair.cert, 0o644);
    return pair;
  };
  const authority = async (name: 'ca' | 'front-proxy-ca', commonName: string): Promise<KeyPairPem> => {
    const found = read(name);
    // A key without its certificate is a first start that was cut short: nothing can trust it yet.
    if (found.cert === undefined) return store(name, await createCa(commonName, options.now, CA_VALIDITY_MS));
    const reason = renewalReason(found, found.cert, { commonName }, options.now, 0);
    if (reason !== undefined) {
      throw new PkiError(
        `the authority ${path(`${name}.crt`)} with its key cannot be used: ${reason}; restore both files, or remove the folder ${options.dir} to make a new PKI (every client then needs a new kubeconfig)`,
      );
    }
    return found as KeyPairPem;
  };

  const cas = { ca: await authority('ca', 'kubernetes'), 'front-proxy-ca': await authority('front-proxy-ca', 'front-proxy-ca') };
  const leaf = {} as Record<LeafName, KeyPairPem>;
  for (const [name, plan] of Object.entries(plannedLeaves(options)) as [LeafName, Leaf][]) {
    const found = read(name);
    const expected = { ...plan.subject, ...(plan.dnsNames ? { dnsNames: plan.dnsNames } : {}), ...(plan.ipAddresses ? { ipAddresses: plan.ipAddresses } : {}) };
    leaf[name] =
      renewalReason(found, cas[plan.ca].cert, expected, options.now, RENEW_BEFORE_MS) === undefined
        ? (found as KeyPairPem)
        : store(name, await issueCertificate(cas[plan.ca], { ...plan, now: options.now, validForMs: LEAF_VALIDITY_MS }));
  }
  return { ca: cas.ca, frontProxyCa: cas['front-proxy-ca'], serviceAccount: ensureServiceAccountKeys(path, write), leaf, written, path };
}

function ensureServiceAccountKeys(path: (file: string) => string, write: (file: string, content: string, mode?: number) => void): ServiceAccountKeys {
  const privateKey = readIfThere(path('sa.key'));
  const publicKey = readIfThere(path('sa.pub'));
  if (privateKey !== undefined && publicKey !== undefined) return { privateKey, publicKey };
  if (privateKey !== undefined || publicKey !== undefined) {
    const [there, gone] = privateKey === undefined ? ['sa.pub', 'sa.key'] : ['sa.key', 'sa.pub'];
    // The private key is written last, so it alone cannot be a start cut short.
    if (there === 'sa.key')
      throw new PkiError(
        `${path(gone)} is missing beside ${path(there)}; restore it, or remove both to make a new pair (every service account token is then void)`,
      );
  }
  const keys = createServiceAccountKeys();
  write('sa.pub', keys.publicKey, 0o644);
  write('sa.key', keys.privateKey);
  return keys;
}
