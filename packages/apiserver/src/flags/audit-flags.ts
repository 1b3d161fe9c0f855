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
      }
    | undefined;
}

export const auditFlags: FlagTable = {
  'audit-log-compress': 'Rotated audit logs are compressed (default false)',
  'audit-log-maxage': 'Days rotated audit logs are kept (default 0: for ever)',
  'audit-log-maxbackup': 'How many rotated audit logs are kept (default 0: all)',
  'audit-log-maxsize': 'Megabytes after which the audit log is rotated (default 100)',
  'audit-log-path': 'File the audit log is appended to, one JSON event a line (-: standard output)',
  'audit-policy-file': 'Which requests are recorded in the audit log, and how much of them',
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
  return { auditPolicyFile: reader.text('audit-policy-file'), auditLog: path ? { path, ...rotation } : undefined };
}
