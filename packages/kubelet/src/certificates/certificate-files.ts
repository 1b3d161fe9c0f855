import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type KeyPairPem, readPrivateKey } from '@coxswain/pki';
import { type Clock, type Component, type ComponentState, ComponentStateCell, type Logger } from '@coxswain/sdk';
import type { Observable } from 'rxjs';
import type { ServingCertificate } from '../server/kubelet-server.js';

const LOOK_MS = 30_000;

/** A serving certificate that somebody else renews in its files: what they hold is served from the next look on. */
export class CertificateFiles implements Component, ServingCertificate {
  readonly name = 'serving-certificate';
  readonly #cell = new ComponentStateCell();
  readonly state$: Observable<ComponentState> = this.#cell.state$;
  readonly #stopping = new AbortController();
  readonly #listeners = new Set<(pair: KeyPairPem) => void>();
  #current: KeyPairPem;
  #loop: Promise<void> | undefined;

  constructor(
    private readonly files: { readonly cert: string; readonly key: string },
    /** What they hold now. */
    first: KeyPairPem,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {
    this.#current = first;
  }

  get current(): KeyPairPem {
    return this.#current;
  }

  onChange(changed: (pair: KeyPairPem) => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  async start(): Promise<void> {
    this.#loop ??= this.#run(this.#stopping.signal);
    this.#cell.set('ready');
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the kubelet is stopping'));
    await this.#loop;
    this.#cell.set('stopped');
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.clock.sleep(LOOK_MS, signal).catch(() => {});
      if (!signal.aborted)
        await this.#look().catch((error: unknown) => this.logger.warn('the serving certificate cannot be read again', { ...this.files, err: error }));
    }
  }

  async #look(): Promise<void> {
    const [cert, key] = await Promise.all([readFile(this.files.cert, 'utf8'), readFile(this.files.key, 'utf8')]);
    if (cert === this.#current.cert && key === this.#current.key) return;
    // Two files are not written at once: one of them may be the old one still.
    if (!new X509Certificate(cert).checkPrivateKey(readPrivateKey(key))) return;
    this.#current = { cert, key };
    this.logger.info('the serving certificate was renewed', this.files);
    for (const changed of this.#listeners) changed(this.#current);
  }
}
