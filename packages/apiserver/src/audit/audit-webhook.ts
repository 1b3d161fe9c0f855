import { clientConfig, HttpsTransport, parseKubeconfig, TransportError } from '@coxswain/client';
import type { Clock, Random } from '@coxswain/sdk';

export interface AuditWebhookOptions {
  readonly initialBackoffMs: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** Attempts and the growth of what is waited between them: as upstream's. */
const STEPS = 5;
const FACTOR = 1.5;
const TIMEOUT_MS = 30_000;

/** A webhook, named by a kubeconfig, that is sent events as EventLists. Throws KubeconfigError. */
export function auditWebhook(
  text: string,
  file: string,
  { initialBackoffMs, clock, random }: AuditWebhookOptions,
): (lines: readonly string[]) => Promise<void> {
  const { transport: options } = clientConfig(parseKubeconfig(text, file), { clock });
  const transport = new HttpsTransport(options);
  // The transport puts the server's path in front, and a path may not be empty.
  const path = new URL(options.server).pathname === '/' ? '/' : '';
  const once = async (body: string): Promise<void> => {
    const limit = new AbortController();
    const cancel = clock.setTimeout(() => limit.abort(new TransportError('context deadline exceeded', true)), TIMEOUT_MS);
    try {
      const headers = { 'content-type': 'application/json', accept: 'application/json', 'user-agent': 'kube-apiserver' };
      const { status } = await transport.request({ method: 'POST', path, headers, body, signal: limit.signal });
      if (status < 200 || status > 299) throw new AuditWebhookError(status);
    } finally {
      cancel();
    }
  };
  return async (lines) => {
    // Events are JSON already.
    const body = `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[${lines.join(',')}]}`;
    let wait = initialBackoffMs;
    for (let step = 1; ; step++) {
      try {
        await once(body);
        return;
      } catch (error) {
        const final = error instanceof AuditWebhookError && error.status < 500 && error.status !== 429;
        if (final || step >= STEPS) throw error;
      }
      await clock.sleep(wait * (1 + 0.2 * random.next()));
      wait *= FACTOR;
    }
  };
}

class AuditWebhookError extends Error {
  override readonly name = 'AuditWebhookError';

  constructor(readonly status: number) {
    super(`the audit webhook answered with the status code ${status}`);
  }
}
