import type { Clock, Logger, Random } from '@coxswain/sdk';
import type { AuditConfig } from '../flags/audit-flags.js';
import { AuditBatch } from './audit-batch.js';
import type { AuditPolicy } from './audit-policy.js';
import { auditWebhook } from './audit-webhook.js';
import { RotatingFile } from './rotating-file.js';

export interface AuditBackend {
  readonly policy: AuditPolicy;
  /** One line of JSON, newline included. Does not throw. */
  readonly write: (line: string) => void;
  /** Sends what waits. */
  readonly close: () => Promise<void>;
}

export interface AuditEnv {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

interface Sink {
  readonly write: (line: string) => void;
  readonly close?: () => Promise<void>;
}

/** Where events go by the flags; `kubeconfig` is the text of the webhook's file. Undefined when they go nowhere. */
export function openAudit(
  { auditLog, auditWebhook: webhook }: AuditConfig,
  policy: AuditPolicy | undefined,
  kubeconfig: string | undefined,
  env: AuditEnv,
): AuditBackend | undefined {
  if (!auditLog && !webhook) return undefined;
  if (!policy) {
    env.logger.warn('there is no --audit-policy-file: no events are recorded');
    return undefined;
  }
  const sinks = [
    ...(auditLog ? [logSink(auditLog, env)] : []),
    ...(webhook && kubeconfig ? [batched('audit webhook', webhook.batch, auditWebhook(kubeconfig, webhook.configFile, { ...env, ...webhook }), env)] : []),
  ];
  return {
    policy,
    write: (line) => {
      for (const sink of sinks) sink.write(line);
    },
    close: async () => {
      await Promise.all(sinks.map((sink) => sink.close?.()));
    },
  };
}

function logSink(log: NonNullable<AuditConfig['auditLog']>, env: AuditEnv): Sink {
  const { clock, logger } = env;
  const onError = (err: unknown) => logger.error('the audit log cannot be written', { err });
  const file = log.path === '-' ? undefined : new RotatingFile({ ...log, now: () => clock.now(), onError });
  const write = (text: string): void => {
    if (file) file.write(text);
    else process.stdout.write(text);
  };
  return log.batch ? batched('audit log', log.batch, (lines) => write(lines.join('')), env) : { write };
}

function batched(what: string, limits: NonNullable<NonNullable<AuditConfig['auditLog']>['batch']>, send: AuditBatch['options']['send'], env: AuditEnv): Sink {
  const { clock, logger } = env;
  const onLost = (events: number, err?: unknown) => logger.error(`events for the ${what} were lost`, { events, ...(err ? { err } : {}) });
  const batch = new AuditBatch({ ...limits, clock, send, onLost });
  return { write: (line) => batch.add(line), close: () => batch.close() };
}
