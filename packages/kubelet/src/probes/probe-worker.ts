import type { Probe } from '@coxswain/api';
import type { CancelTimer, Clock } from '@coxswain/sdk';
import type { ProbeAnswer } from './http-probe.js';

export type ProbeType = 'liveness' | 'readiness' | 'startup';

export interface ProbeWorkerOptions {
  readonly type: ProbeType;
  readonly probe: Probe;
  readonly clock: Clock;
  /** When the container started, ms. */
  readonly startedAt: number;
  /** Where the first check falls within a period, 0…1: spreads the checks of a restarted kubelet. */
  readonly spread: number;
  /** What holds until enough checks said otherwise. */
  readonly initial: boolean | undefined;
  readonly check: () => Promise<ProbeAnswer>;
  /** The verdict changed. */
  readonly decided: (ok: boolean) => void;
  /** One check failed, could not be made, or succeeded with a warning. */
  readonly failed: (answer: ProbeAnswer) => void;
}

/** Checks one container again and again, and counts: a verdict needs `successThreshold` or `failureThreshold` checks in a row. */
export class ProbeWorker {
  readonly #options: ProbeWorkerOptions;
  #cancel: CancelTimer | undefined;
  #stopped = false;
  #run = 0;
  #last: boolean | undefined;
  #verdict: boolean | undefined;

  constructor(options: ProbeWorkerOptions) {
    this.#options = options;
    this.#verdict = options.initial;
  }

  get verdict(): boolean | undefined {
    return this.#verdict;
  }

  start(): void {
    const { clock, probe, startedAt, spread } = this.#options;
    const delay = startedAt + (probe.initialDelaySeconds ?? 0) * 1000 - clock.now();
    this.#schedule(delay > 0 ? delay : spread * this.#periodMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  get #periodMs(): number {
    return (this.#options.probe.periodSeconds ?? 10) * 1000;
  }

  #schedule(ms: number): void {
    this.#cancel?.();
    this.#cancel = this.#options.clock.setTimeout(() => void this.#turn(), ms);
  }

  async #turn(): Promise<void> {
    const { clock, type } = this.#options;
    const began = clock.monotonic();
    const answer = await this.#options.check();
    if (this.#stopped) return;
    this.#count(answer);
    // Its container is about to be stopped, or has started for good: nothing more to learn.
    if ((type !== 'readiness' && this.#verdict === false) || (type === 'startup' && this.#verdict === true)) return;
    if (!this.#stopped) this.#schedule(Math.max(0, this.#periodMs - (clock.monotonic() - began)));
  }

  #count(answer: ProbeAnswer): void {
    const { probe, decided, failed } = this.#options;
    if (answer.outcome !== 'success') failed(answer);
    if (answer.outcome === 'unknown') return;
    const ok = answer.outcome !== 'failure';
    this.#run = this.#last === ok ? this.#run + 1 : 1;
    this.#last = ok;
    if (this.#run < (ok ? (probe.successThreshold ?? 1) : (probe.failureThreshold ?? 3))) return;
    if (this.#verdict === ok) return;
    this.#verdict = ok;
    decided(ok);
  }
}
