import type { KeyPairPem } from './pem.js';
import { type AuthorityName, PkiFolder, type PlannedLeaf } from './pki-folder.js';
import type { ServiceAccountKeys } from './service-account-keys.js';

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

/** What only a control plane may hold. */
type ControlPlaneLeaf = 'apiserver' | 'apiserver-kubelet-client' | 'front-proxy-client' | 'admin' | 'controller-manager' | 'scheduler' | 'metrics-server';
/** What every node holds: of its kubelet, and of those who act for the node. */
export type NodeLeafName = 'kubelet-client' | 'kubelet' | 'kube-proxy' | 'dns' | 'sdn' | 'logging' | 'network-policy' | 'addon-serving';
export type LeafName = ControlPlaneLeaf | NodeLeafName;

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

const ETCD_CA = 'etcd/ca';

const client = (commonName: string, ...organizations: string[]): PlannedLeaf<'ca'> => ({ ca: 'ca', usage: 'client', subject: { commonName, organizations } });

function controlPlaneLeaves(o: ClusterPkiOptions): Record<ControlPlaneLeaf, PlannedLeaf> {
  const apiNames = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    `kubernetes.default.svc.${o.clusterDomain}`,
    'localhost',
    ...o.apiServerNames,
  ];
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
    'metrics-server': client('system:coxswain:metrics-server'),
  };
}

function nodeLeaves(o: Pick<ClusterPkiOptions, 'nodeName' | 'nodeIPs'>): Record<NodeLeafName, PlannedLeaf<'ca'>> {
  return {
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
    sdn: client('system:coxswain:sdn'),
    logging: client('system:coxswain:logging'),
    'network-policy': client('system:coxswain:network-policy'),
    'addon-serving': {
      ca: 'ca',
      usage: 'server',
      subject: { commonName: 'coxswain-addons' },
      // The API server asks an aggregated server for its Service's name.
      dnsNames: [o.nodeName, 'localhost', '*.kube-system.svc'],
      ipAddresses: [...new Set(['127.0.0.1', ...o.nodeIPs])],
    },
  };
}

/**
 * The cluster's PKI folder, completed: whatever is missing, damaged, about to expire or no longer matches is made again, the rest
 * is left as it is. Authorities are never replaced. Each file is written whole, a key before its certificate, so that a crash
 * leaves nothing that the next call does not repair.
 */
export async function ensureClusterPki(options: ClusterPkiOptions): Promise<ClusterPki> {
  const folder = new PkiFolder(options.dir, options.now);
  const cas = { ca: await folder.authority('ca', 'kubernetes'), 'front-proxy-ca': await folder.authority('front-proxy-ca', 'front-proxy-ca') };
  const leaf = await folder.leaves<LeafName, AuthorityName>({ ...controlPlaneLeaves(options), ...nodeLeaves(options) }, cas);
  const serviceAccount = folder.serviceAccountKeys();
  return { ca: cas.ca, frontProxyCa: cas['front-proxy-ca'], serviceAccount, leaf, written: folder.written, path: (file) => folder.path(file) };
}

/** What a further node needs of the cluster's PKI: no authority's key. */
export interface NodePki {
  readonly ca: Pick<KeyPairPem, 'cert'>;
  readonly leaf: Readonly<Record<NodeLeafName, KeyPairPem>>;
}

export interface NodePkiOptions extends Pick<ClusterPkiOptions, 'dir' | 'nodeName' | 'nodeIPs' | 'now'> {
  /** Signs the node's certificates; only its certificate is put into the folder. */
  readonly ca: KeyPairPem;
}

/** The PKI folder of a node without control plane, completed as `ensureClusterPki` does. */
export async function ensureNodePki(options: NodePkiOptions): Promise<NodePki> {
  const folder = new PkiFolder(options.dir, options.now);
  folder.certificateOf('ca', options.ca);
  return { ca: { cert: options.ca.cert }, leaf: await folder.leaves(nodeLeaves(options), { ca: options.ca }) };
}

/** What `ensureNodePki` or `ensureClusterPki` has put into a folder, for the node's own processes. `PkiError` names what is missing. */
export function readNodePki(dir: string): NodePki {
  const folder = new PkiFolder(dir, 0);
  const names = Object.keys(nodeLeaves({ nodeName: '', nodeIPs: [] })) as NodeLeafName[];
  return { ca: { cert: folder.require('ca.crt') }, leaf: Object.fromEntries(names.map((name) => [name, folder.pair(name)])) as NodePki['leaf'] };
}

/** What a member of the cluster's own etcd and its clients need. Files as kubeadm names them; `ip` is the member's address. */
export async function ensureEtcdPki(options: { readonly dir: string; readonly nodeName: string; readonly ip: string; readonly now: number }): Promise<void> {
  const folder = new PkiFolder(options.dir, options.now);
  const ca = await folder.authority(ETCD_CA, 'etcd-ca');
  const { nodeName: commonName, ip } = options;
  const member = {
    ca: ETCD_CA,
    usage: 'server-and-client',
    subject: { commonName },
    dnsNames: ['localhost', commonName],
    ipAddresses: [ip, '127.0.0.1'],
  } as const;
  const client = { ca: ETCD_CA, usage: 'client', subject: { commonName: 'kube-apiserver-etcd-client' } } as const;
  await folder.leaves({ 'etcd/server': member, 'etcd/peer': member, 'apiserver-etcd-client': client }, { [ETCD_CA]: ca });
}

/**
 * Gives another control plane's folder the authorities and service account keys of the cluster's, as `kubeadm init phase upload-certs`
 * does: what `ensureClusterPki` makes there then is trusted like what it made here.
 */
export function shareAuthorities(from: string, to: string): void {
  const [source, target] = [new PkiFolder(from, 0), new PkiFolder(to, 0)];
  for (const name of ['ca', 'front-proxy-ca', ...(source.has(`${ETCD_CA}.crt`) ? [ETCD_CA] : [])]) target.authorityOf(name, source.pair(name));
  for (const [file, mode] of [
    ['sa.pub', 0o644],
    ['sa.key', 0o600],
  ] as const) {
    target.ensureFile(file, source.require(file), mode);
  }
}
