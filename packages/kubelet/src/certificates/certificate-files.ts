import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type KeyPairPem, readPrivateKey } from '@coxswain/pki';
import type { Clock, Logger } from '@coxswain/sdk';
import { ChangingCertificate } from './changing-certificate.js';

const LOOK_MS = 30_000;

/** A serving certificate that somebody else renews in its files: what they hold is served from the next look on. */
export class CertificateFiles extends ChangingCertificate {
  constructor(
    private readonly files: { readonly cert: string; readonly key: string },
    /** What they hold now. */
    first: KeyPairPem,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {
    super('serving-certificate', first);
  }

  protected async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.clock.sleep(LOOK_MS, signal).catch(() => {});
      if (!signal.aborted)
        await this.#look().catch((error: unknown) => this.logger.warn('the serving certificate cannot be read again', { ...this.files, err: error }));
    }
  }

  async #look(): Promise<void> {
    const [cert, key] = await Promise.all([readFile(this.files.cert, 'utf8'), readFile(this.files.key, 'utf8')]);
    if (cert === this.current?.cert && key === this.current.key) return;
    // Two files are not written at once: one of them may be the old one still.
    if (!new X509Certificate(cert).checkPrivateKey(readPrivateKey(key))) return;
    this.logger.info('the serving certificate was renewed', this.files);
    this.replace({ cert, key });
  }
}
