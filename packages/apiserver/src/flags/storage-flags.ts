import type { FlagReader, FlagTable } from './flag-reader.js';

/** Where objects are kept, and for how long. */
export interface StorageConfig {
  readonly eventTtlSeconds: number;
  /** 0: old revisions are kept. */
  readonly compactionIntervalMs: number;
  readonly readyCheckTimeoutMs: number;
  readonly encryptionProviderConfig: string | undefined;
  /** What all keys begin with, without a slash at its end. */
  readonly etcdPrefix: string;
  /** For whoever opens the store. */
  readonly etcd: {
    readonly servers: readonly string[];
    readonly caFile: string | undefined;
    readonly certFile: string | undefined;
    readonly keyFile: string | undefined;
  };
}

export const storageFlags: FlagTable = {
  'encryption-provider-config': 'How resources are encrypted in the store',
  'etcd-cafile': 'PEM bundle that signs the certificates of etcd',
  'etcd-certfile': 'Client certificate for etcd',
  'etcd-compaction-interval': 'How often old revisions are forgotten (default 5m0s; 0: never)',
  'etcd-keyfile': 'Key of the client certificate for etcd',
  'etcd-prefix': 'What all keys in the store begin with (default /registry)',
  'etcd-readycheck-timeout': 'How long /readyz waits for the store (default 2s)',
  'etcd-servers': 'URLs of etcd members',
  'event-ttl': 'How long events are kept (default 1h0m0s)',
};

export function parseStorageFlags(reader: FlagReader): StorageConfig {
  return {
    eventTtlSeconds: Math.max(1, Math.round(reader.duration('event-ttl', 3_600_000) / 1000)),
    compactionIntervalMs: reader.duration('etcd-compaction-interval', 300_000),
    readyCheckTimeoutMs: reader.duration('etcd-readycheck-timeout', 2000),
    encryptionProviderConfig: reader.text('encryption-provider-config'),
    etcdPrefix: prefixOf(reader),
    etcd: {
      servers: reader.list('etcd-servers'),
      caFile: reader.text('etcd-cafile'),
      certFile: reader.text('etcd-certfile'),
      keyFile: reader.text('etcd-keyfile'),
    },
  };
}

function prefixOf(reader: FlagReader): string {
  const text = reader.flags['etcd-prefix'] ?? '/registry';
  const parts = text.split('/').filter((part) => part !== '');
  if (parts.length === 0) reader.problem('etcd-prefix', 'must name at least one folder, such as /registry');
  if (parts.some((part) => part === '.' || part === '..')) reader.problem('etcd-prefix', `${JSON.stringify(text)} is not a plain path`);
  return `/${parts.join('/')}`;
}
