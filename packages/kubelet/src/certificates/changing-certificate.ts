import type { KeyPairPem } from '@coxswain/pki';
import { type Component, type ComponentState, ComponentStateCell } from '@coxswain/sdk';
import type { Observable } from 'rxjs';
import type { ServingCertificate } from '../server/kubelet-server.js';

/** A certificate that is replaced while it is in use, by a loop that runs from start to stop. Users are told each one. */
export abstract class ChangingCertificate implements Component, ServingCertificate {
  readonly #cell = new ComponentStateCell();
  readonly state$: Observable<ComponentState> = this.#cell.state$;
  readonly #stopping = new AbortController();
  readonly #listeners = new Set<(pair: KeyPairPem) => void>();
  #loop: Promise<void> | undefined;
  #current: KeyPairPem | undefined;

  constructor(
    readonly name: string,
    first: KeyPairPem | undefined,
  ) {
    this.#current = first;
  }

  get current(): KeyPairPem | undefined {
    return this.#current;
  }

  onChange(changed: (pair: KeyPairPem) => void): () => void {
    this.#listeners.add(changed);
    return () => this.#listeners.delete(changed);
  }

  /** Does not wait for a certificate: the one that approves it may need this node. */
  async start(): Promise<void> {
    this.#loop ??= this.run(this.#stopping.signal);
    this.#cell.set('ready');
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the kubelet is stopping'));
    await this.#loop;
    this.#cell.set('stopped');
  }

  /** Looks after the certificate until the signal aborts. Never rejects. */
  protected abstract run(signal: AbortSignal): Promise<void>;

  protected replace(pair: KeyPairPem): void {
    this.#current = pair;
    for (const changed of this.#listeners) changed(pair);
  }

  protected fail(reason: string): void {
    this.#cell.set('failed', reason);
  }
}
