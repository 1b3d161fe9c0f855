import { join } from 'node:path';
import type { ClusterConfig, ExternalEtcd } from './cluster-spec.js';
import { controlPlaneViews } from './hosts/host-view.js';

// The members of a cluster's own etcd: one on each host with a control plane. A host has all ports to itself, so they are the usual ones.
const CLIENT_PORT = 2379;
const PEER_PORT = 2380;

/** How an API server of the view reaches the etcd of its cluster; the member beside it first. Undefined: its store is embedded. */
export function etcdAccess(view: ClusterConfig): ExternalEtcd | undefined {
  const { etcd } = view;
  if (etcd === undefined) return undefined;
  if (etcd.kind === 'external') {
    const { kind: _, ...access } = etcd;
    return access;
  }
  const own = view.host ? [view.host.ip] : [];
  const others = controlPlaneViews(view).map(({ nodeIP }) => nodeIP);
  const file = (name: string) => join(view.paths.pki, name);
  return {
    endpoints: [...new Set([...own, ...others])].map((ip) => `https://${ip}:${CLIENT_PORT}`),
    caFile: file('etcd/ca.crt'),
    certFile: file('apiserver-etcd-client.crt'),
    keyFile: file('apiserver-etcd-client.key'),
  };
}

/**
 * The command line of the member on the view's host. It goes before others that compute: a heartbeat that waits for them costs its leader.
 * Where it may not, `nice` says so in the log and runs it all the same.
 */
export function etcdMember(view: ClusterConfig): readonly string[] {
  const url = (ip: string, port: number) => `https://${ip}:${port}`;
  const file = (name: string) => join(view.paths.pki, name);
  const client = url(view.nodeIP, CLIENT_PORT);
  const peer = url(view.nodeIP, PEER_PORT);
  return [
    ...['nice', '-n', '-10', 'etcd'],
    `--name=${view.nodeName}`,
    `--data-dir=${view.paths.etcd}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=${controlPlaneViews(view)
      .map(({ nodeName, nodeIP }) => `${nodeName}=${url(nodeIP, PEER_PORT)}`)
      .join(',')}`,
    `--initial-cluster-token=${view.name}`,
    // Twice the defaults: the members share a disk and its waits, and a new leader is still there within seconds.
    '--heartbeat-interval=200',
    '--election-timeout=2000',
    '--client-cert-auth',
    `--trusted-ca-file=${file('etcd/ca.crt')}`,
    `--cert-file=${file('etcd/server.crt')}`,
    `--key-file=${file('etcd/server.key')}`,
    '--peer-client-cert-auth',
    `--peer-trusted-ca-file=${file('etcd/ca.crt')}`,
    `--peer-cert-file=${file('etcd/peer.crt')}`,
    `--peer-key-file=${file('etcd/peer.key')}`,
  ];
}
