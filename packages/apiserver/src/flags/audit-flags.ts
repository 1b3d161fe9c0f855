import type { BatchLimits } from '../audit/audit-batch.js';
import type { FlagReader, FlagTable } from './flag-reader.js';

/** What is recorded of requests, and where. */
export interface AuditConfig {
  readonly auditPolicyFile: string | undefined;
  readonly auditLog:
    | {
        /** '-': standard output. */
        readonly path: string;
        readonly maxSizeBytes: number;
        readonly maxBackups: number;
        readonly maxAgeMs: number;
        readonly compress: boolean;
        /** Absent: an event is in the file before its request is answered. */
        readonly batch?: BatchLimits;
      }
    | undefined;
  readonly auditWebhook: { readonly configFile: string; readonly initialBackoffMs: number; readonly batch: BatchLimits } | undefined;
}

const batchFlags = (kind: 'log' | 'webhook', defaults: BatchLimits): FlagTable => ({
  [`audit-${kind}-batch-buffer-size`]: `Events that wait for the audit ${kind}; more are dropped (default ${defaults.bufferSize})`,
  [`audit-${kind}-batch-max-size`]: `Events of one batch for the audit ${kind} (default ${defaults.maxSize})`,
  [`audit-${kind}-batch-max-wait`]: `How long a batch for the audit ${kind} waits for more events (default ${defaults.maxWaitMs / 1000}s)`,
  [`audit-${kind}-batch-throttle-burst`]: `Batches for the audit ${kind} at once after a quiet time (default ${defaults.throttle?.burst ?? 0})`,
  [`audit-${kind}-batch-throttle-enable`]: `Batches for the audit ${kind} are throttled (default ${defaults.throttle !== undefined})`,
  [`audit-${kind}-batch-throttle-qps`]: `Batches for the audit ${kind} a second (default ${defaults.throttle?.qps ?? 0})`,
});

const LOG_BATCH: BatchLimits = { bufferSize: 10_000, maxSize: 1, maxWaitMs: 0 };
const WEBHOOK_BATCH: BatchLimits = { bufferSize: 10_000, maxSize: 400, maxWaitMs: 30_000, throttle: { qps: 10, burst: 15 } };

export const auditFlags: FlagTable = {
  ...batchFlags('log', LOG_BATCH),
  'audit-log-compress': 'Rotated audit logs are compressed (default false)',
  'audit-log-maxage': 'Days rotated audit logs are kept (default 0: for ever)',
  'audit-log-maxbackup': 'How many rotated audit logs are kept (default 0: all)',
  'audit-log-maxsize': 'Megabytes after which the audit log is rotated (default 100)',
  'audit-log-mode': 'blocking: an event is in the log before its request is answered; batch: soon after (default blocking)',
  'audit-log-path': 'File the audit log is appended to, one JSON event a line (-: standard output)',
  'audit-policy-file': 'Which requests are recorded, and how much of them',
  ...batchFlags('webhook', WEBHOOK_BATCH),
  'audit-webhook-config-file': 'Kubeconfig of a webhook that is sent events',
  'audit-webhook-initial-backoff': 'How long to wait before the first further attempt to send a batch (default 10s)',
};

const MEGABYTE = 1024 * 1024;
const DAY_MS = 24 * 3_600_000;

export function parseAuditFlags(reader: FlagReader): AuditConfig {
  const path = reader.text('audit-log-path');
  const rotation = {
    maxSizeBytes: (reader.number('audit-log-maxsize', 0, 0, 1_000_000) || 100) * MEGABYTE,
    maxBackups: reader.number('audit-log-maxbackup', 0, 0, 1_000_000),
    maxAgeMs: reader.number('audit-log-maxage', 0, 0, 1_000_000) * DAY_MS,
    compress: reader.boolean('audit-log-compress', false),
  };
  const mode = reader.oneOf('audit-log-mode', ['blocking', 'batch', 'blocking-strict'], 'blocking');
  if (mode === 'blocking-strict') reader.problem('audit-log-mode', 'blocking-strict is not here: an event that cannot be written does not fail its request');
  const logBatch = batchOf(reader, 'log', LOG_BATCH);
  const configFile = reader.text('audit-webhook-config-file');
  const initialBackoffMs = reader.duration('audit-webhook-initial-backoff', 10_000);
  const batch = batchOf(reader, 'webhook', WEBHOOK_BATCH);
  return {
    auditPolicyFile: reader.text('audit-policy-file'),
    auditLog: path ? { path, ...rotation, ...(mode === 'batch' ? { batch: logBatch } : {}) } : undefined,
    auditWebhook: configFile ? { configFile, initialBackoffMs, batch } : undefined,
  };
}

function batchOf(reader: FlagReader, kind: 'log' | 'webhook', defaults: BatchLimits): BatchLimits {
  const flag = (name: string) => `audit-${kind}-batch-${name}`;
  const most = 1_000_000;
  const throttled = reader.boolean(flag('throttle-enable'), defaults.throttle !== undefined);
  const qps = Number(reader.text(flag('throttle-qps')) ?? defaults.throttle?.qps ?? 0);
  if (throttled && !(qps > 0)) reader.problem(flag('throttle-qps'), 'must be more than 0');
  const burst = reader.number(flag('throttle-burst'), defaults.throttle?.burst ?? 0, throttled ? 1 : 0, most);
  if (throttled && burst < 1) reader.problem(flag('throttle-burst'), 'must be more than 0');
  return {
    bufferSize: reader.number(flag('buffer-size'), defaults.bufferSize, 1, most),
    maxSize: reader.number(flag('max-size'), defaults.maxSize, 1, most),
    maxWaitMs: reader.duration(flag('max-wait'), defaults.maxWaitMs),
    ...(throttled ? { throttle: { qps, burst } } : {}),
  };
}
