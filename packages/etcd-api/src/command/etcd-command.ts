import { addSettledFlags, type Command, componentCommand, list, onOff, type SettledFlag } from '@coxswain/command';

const alone = 'it is a cluster of one';
const peers: Readonly<Record<string, SettledFlag>> = Object.fromEntries(
  [
    'initial-advertise-peer-urls',
    'initial-cluster',
    'initial-cluster-state',
    'initial-cluster-token',
    'listen-peer-urls',
    'peer-auto-tls',
    'peer-cert-file',
    'peer-client-cert-auth',
    'peer-key-file',
    'peer-trusted-ca-file',
    'heartbeat-interval',
    'election-timeout',
  ].map((name) => [name, { takes: 'any', because: `${alone}: nobody is spoken to as a peer` }]),
);

/** The embedded store as a program that answers etcd v3's API, with etcd's flag names. */
export function etcdCommand(): Command {
  const command = componentCommand('coxswain-etcd', "run the embedded store alone, answering etcd v3's API")
    .option('--name <name>', 'as etcd is told; a cluster of one needs none', 'default')
    .option('--data-dir <folder>', 'the store', 'default.etcd')
    .option('--listen-client-urls <urls>', 'where to answer: http://127.0.0.1:2379, https://…, unix:///…', list, ['http://127.0.0.1:2379'])
    .option('--advertise-client-urls <urls>', 'what clients are told (default: where it listens)', list)
    .option('--cert-file <file>', 'serving certificate, for https://')
    .option('--key-file <file>', 'its key')
    .option('--trusted-ca-file <file>', 'CA of client certificates')
    .addOption(onOff('client-cert-auth', 'serve only clients with a certificate', false))
    .option('--auto-compaction-retention <time>', 'how much history is kept: hours, or a duration; 0: all', '0')
    .option('--listen-metrics-urls <urls>', 'where /health and /metrics are served', list, []);
  addSettledFlags(command, {
    ...peers,
    'auto-compaction-mode': { takes: ['periodic'], because: 'history is kept for a time' },
    'auto-tls': { takes: ['false'], because: 'give --cert-file and --key-file' },
    'experimental-initial-corrupt-check': { takes: 'any', because: 'every page of the store has a checksum, which is looked at when it is read' },
    'experimental-watch-progress-notify-interval': { takes: 'any', because: 'watches say how far they are every ten minutes, and when they are asked' },
    'watch-progress-notify-interval': { takes: 'any', because: 'watches say how far they are every ten minutes, and when they are asked' },
    'feature-gates': { takes: ['InitialCorruptCheck=true', ''], because: 'every page of the store has a checksum, which is looked at when it is read' },
    'force-new-cluster': { takes: ['false'], because: alone },
    'log-outputs': { takes: ['default', 'stdout'], because: 'logs go to standard output' },
    logger: { takes: ['zap'], because: 'logs are JSON lines' },
    'max-request-bytes': { takes: ['1572864', '2097152'], because: 'requests have 2 MiB at most' },
    'proxy-refresh-interval': { takes: 'any', because: 'there is no proxy' },
    'quota-backend-bytes': { takes: ['0'], because: 'the disk is the limit' },
    'snapshot-count': { takes: 'any', because: 'there is no log to be cut' },
    'strict-reconfig-check': { takes: 'any', because: alone },
    'wal-dir': { takes: [''], because: 'there is no log beside the store' },
  });
  return command.action(async (flags) => (await import('./run-etcd.js')).runEtcd(flags));
}
