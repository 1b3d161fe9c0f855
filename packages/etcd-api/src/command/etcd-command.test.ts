import { describe, expect, it } from 'vitest';
import { etcdCommand } from './etcd-command.js';
import { type EtcdFlags, etcdOptions } from './run-etcd.js';

function parse(...args: string[]): EtcdFlags {
  const command = etcdCommand().configureOutput({ writeErr: () => {} });
  command.action(() => {});
  return command.parse(args, { from: 'user' }).opts();
}
const options = (...args: string[]) => etcdOptions(parse(...args));

describe('etcd’s flags', () => {
  it("kubeadm's", () => {
    const flags = parse(
      '--advertise-client-urls=https://192.0.2.1:2379',
      '--cert-file=/etc/kubernetes/pki/etcd/server.crt',
      '--client-cert-auth=true',
      '--data-dir=/var/lib/etcd',
      '--feature-gates=InitialCorruptCheck=true',
      '--initial-advertise-peer-urls=https://192.0.2.1:2380',
      '--initial-cluster=node-1=https://192.0.2.1:2380',
      '--key-file=/etc/kubernetes/pki/etcd/server.key',
      '--listen-client-urls=https://127.0.0.1:2379,https://192.0.2.1:2379',
      '--listen-metrics-urls=http://127.0.0.1:2381',
      '--listen-peer-urls=https://192.0.2.1:2380',
      '--name=node-1',
      '--peer-cert-file=/etc/kubernetes/pki/etcd/peer.crt',
      '--peer-client-cert-auth=true',
      '--peer-key-file=/etc/kubernetes/pki/etcd/peer.key',
      '--peer-trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt',
      '--snapshot-count=10000',
      '--trusted-ca-file=/etc/kubernetes/pki/etcd/ca.crt',
      '--watch-progress-notify-interval=5s',
    );
    expect(flags).toMatchObject({ dataDir: '/var/lib/etcd', listenClientUrls: ['https://127.0.0.1:2379', 'https://192.0.2.1:2379'], clientCertAuth: true });
  });

  it('say where to answer, and how much history is kept', () => {
    expect(options()).toEqual({ listeners: [{ endpoint: 'http://127.0.0.1:2379' }], retentionMs: undefined, metrics: [] });
    expect(options('--auto-compaction-retention=1', '--listen-metrics-urls=http://127.0.0.1:2381')).toMatchObject({
      retentionMs: 3_600_000,
      metrics: [{ address: '127.0.0.1', port: 2381 }],
    });
    expect(options('--auto-compaction-retention=5m')).toMatchObject({ retentionMs: 300_000 });
  });

  it.each([
    [['--listen-client-urls=https://127.0.0.1:2379'], 'needs --cert-file and --key-file'],
    [['--listen-client-urls='], '--listen-client-urls: no URL is given'],
    [['--cert-file=/x'], '--cert-file and --key-file go together'],
    [['--client-cert-auth'], '--client-cert-auth needs --trusted-ca-file'],
    [['--cert-file=/no/crt', '--key-file=/no/key'], '--cert-file: /no/crt cannot be read: ENOENT'],
    [['--auto-compaction-retention=soon'], 'is neither hours nor a duration'],
    [['--listen-metrics-urls=2381'], '"2381" is no http:// URL'],
  ])('%j is refused', (args, message) => expect(() => options(...args)).toThrow(message));

  it.each([
    [['--auto-compaction-mode=revision'], 'history is kept for a time'],
    [['--force-new-cluster'], 'it is a cluster of one'],
  ])('%j is refused at once', (args, message) => expect(() => parse(...args)).toThrow(message));
});
