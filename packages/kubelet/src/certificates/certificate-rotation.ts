import { X509Certificate } from 'node:crypto';
import type { KubeClient } from '@coxswain/client';
import type { KeyPairPem } from '@coxswain/pki';
import type { Clock, Logger, Random } from '@coxswain/sdk';
import { type CertificateOrder, fulfils, orderCertificate } from './certificate-order.js';
import type { CertificateStore } from './certificate-store.js';
import { ChangingCertificate } from './changing-certificate.js';

export interface CertificateRotationDeps {
  readonly name: string;
  readonly store: CertificateStore;
  readonly order: CertificateOrder;
  readonly client: KubeClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /**
   * The server refuses the certificate, and it expired so long ago: this part fails, so that the process ends and its next start bootstraps again.
   * Absent: it goes on trying.
   */
  readonly giveUpAfterMs?: number;
}

const FIRST_RETRY_MS = 2000;
const MAX_RETRY_MS = 5 * 60_000;
/** Between looks at the clock: timers of months are not to be had, and machines sleep. */
const LOOK_MS = 3_600_000;

/** When a certificate is to be replaced: after 70 to 90 % of its life, so that nodes of one age do not ask at once. Milliseconds since the epoch. */
export function rotationDeadline(cert: string, random: Random): number {
  const { validFrom, validTo } = new X509Certificate(cert);
  const from = Date.parse(validFrom);
  return from + (Date.parse(validTo) - from) * (0.7 + 0.2 * random.next());
}

/** Keeps a certificate valid: asks for the first one when there is none, then for the next before it runs out. */
export class CertificateRotation extends ChangingCertificate {
  readonly #deps: CertificateRotationDeps;

  constructor(deps: CertificateRotationDeps) {
    super(deps.name, usable(deps));
    this.#deps = deps;
  }

  #isLost(error: unknown): boolean {
    const { giveUpAfterMs, clock } = this.#deps;
    if (giveUpAfterMs === undefined || this.current === undefined || (error as { code?: unknown }).code !== 401) return false;
    return clock.now() - Date.parse(new X509Certificate(this.current.cert).validTo) > giveUpAfterMs;
  }

  protected async run(signal: AbortSignal): Promise<void> {
    const { client, store, order, clock, random, logger } = this.#deps;
    while (!signal.aborted) {
      const due = this.current ? rotationDeadline(this.current.cert, random) : 0;
      while (!signal.aborted && clock.now() < due) await clock.sleep(Math.min(LOOK_MS, due - clock.now()), signal).catch(() => {});
      for (let wait = FIRST_RETRY_MS; !signal.aborted; wait = Math.min(wait * 2, MAX_RETRY_MS)) {
        try {
          await orderCertificate(client, store, order, clock, signal);
          break;
        } catch (error) {
          if (signal.aborted) return;
          if (this.#isLost(error)) {
            this.fail('there is no valid certificate, and the server gives no other to who has none');
            return;
          }
          logger.warn('getting a certificate failed; will try again', { err: error });
          await clock.sleep(wait, signal).catch(() => {});
        }
      }
      if (signal.aborted) return;
      const pair = usable(this.#deps);
      if (!pair) {
        logger.error('the signer issued a certificate that is not what was asked for', { certificate: store.currentPath });
        await clock.sleep(MAX_RETRY_MS, signal).catch(() => {});
        continue;
      }
      logger.info('a new certificate is in use', { certificate: store.currentPath });
      this.replace(pair);
    }
  }
}

/** What the store has, when it is what is asked for and has not run out. */
function usable({ store, order, clock }: CertificateRotationDeps): KeyPairPem | undefined {
  const pair = store.current();
  return pair && fulfils(pair.cert, order, clock.now()) ? pair : undefined;
}
