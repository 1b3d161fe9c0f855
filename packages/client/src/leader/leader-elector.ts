import type { Lease } from '@coxswain/api';
import { cloneJson, deepEqual, formatMicroTime, isNotFound } from '@coxswain/apimachinery';
import { silentLogger, type Clock, type Logger, type Random } from '@coxswain/sdk';
import type { KubeClient } from '../rest/kube-client.js';

export interface LeaderElectorOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  /** The Lease's name. */
  readonly name: string;
  /** Unique to this process. */
  readonly identity: string;
  readonly clock: Clock;
  readonly random: Random;
  /** How long others wait before they take over a lease that is not renewed. Default 15 s. */
  readonly leaseDurationMs?: number;
  /** How long the leader tries to renew before it gives up. Default 10 s. */
  readonly renewDeadlineMs?: number;
  /** Between tries. Default 2 s. */
  readonly retryPeriodMs?: number;
  /** Give the lease up when stopped, so that another can lead at once. Default true; only right when all work ends with `lead`. */
  readonly releaseOnCancel?: boolean;
  readonly logger?: Logger;
  /** Told of each new holder, ourselves included. */
  readonly onNewLeader?: (identity: string) => void;
}

const JITTER = 1.2;

/**
 * Leader election on a Lease, by upstream's algorithm: a holder is believed for as long as *we* have not seen its record change for
 * the lease's duration, so clocks need not agree; only their rates matter.
 */
export class LeaderElector {
  #observed: Lease | undefined;
  /** Monotonic. */
  #observedAt = 0;
  #reported: string | undefined;
  readonly #leaseMs: number;
  readonly #renewMs: number;
  readonly #retryMs: number;
  readonly #logger: Logger;

  constructor(private readonly options: LeaderElectorOptions) {
    this.#leaseMs = options.leaseDurationMs ?? 15_000;
    this.#renewMs = options.renewDeadlineMs ?? 10_000;
    this.#retryMs = options.retryPeriodMs ?? 2_000;
    this.#logger = options.logger ?? silentLogger;
    if (this.#leaseMs <= this.#renewMs) throw new Error('leaseDuration must be greater than renewDeadline');
    if (this.#renewMs <= JITTER * this.#retryMs) throw new Error('renewDeadline must be greater than retryPeriod*JitterFactor');
    if (this.#leaseMs < 1 || this.#renewMs < 1 || this.#retryMs < 1) throw new Error('leaseDuration, renewDeadline and retryPeriod must be greater than zero');
    if (options.identity === '') throw new Error('Lock identity is empty');
  }

  get leader(): string {
    return this.#observed?.spec?.holderIdentity ?? '';
  }

  get isLeader(): boolean {
    return this.leader === this.options.identity;
  }

  /**
   * Whether we lead and renewed within the renew deadline. To be asked right before acting: a process that was stopped or starved goes on
   * with what it has at hand, before it learns that somebody else leads.
   */
  get holds(): boolean {
    return this.isLeader && this.options.clock.monotonic() < this.#observedAt + this.#renewMs;
  }

  /**
   * Waits to become the leader, then runs `lead` until the lease is lost (its signal aborts), the outer signal aborts, or `lead` ends.
   * Resolves to why it ended; `lead` has settled by then. Rejects when `lead` rejects. Call again to take part again.
   */
  async run(lead: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<'stopped' | 'lost' | 'done'> {
    if (!(await this.#acquire(signal))) return 'stopped';
    const term = new AbortController();
    const work = lead(term.signal);
    let ended = false;
    const finished = work.then(
      () => {
        ended = true;
        term.abort(new Error('done'));
      },
      () => {
        ended = true;
        term.abort(new Error('failed'));
      },
    );
    const onStop = () => term.abort(signal.reason);
    signal.addEventListener('abort', onStop, { once: true });
    if (signal.aborted) onStop();
    await this.#renew(term.signal);
    signal.removeEventListener('abort', onStop);
    const outcome = signal.aborted ? 'stopped' : ended ? 'done' : 'lost';
    term.abort(new Error('leader election lost'));
    await finished;
    // After the work has ended: nobody else may start before.
    if (this.options.releaseOnCancel !== false && this.isLeader) await this.#release();
    await work;
    return outcome;
  }

  /**
   * Like `run`, but takes part again whenever the lease was lost: upstream's components end then, and somebody starts them again. Resolves
   * when the signal aborts or `lead` ends, rejects when `lead` rejects.
   */
  async campaign(lead: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<'stopped' | 'done'> {
    for (;;) {
      const outcome = await this.run(lead, signal);
      if (outcome !== 'lost') return outcome;
      this.#logger.warn('lost the lease; taking part again', { lease: this.#lease });
    }
  }

  async #acquire(signal: AbortSignal): Promise<boolean> {
    const { clock, random } = this.options;
    while (!signal.aborted) {
      if (await this.#tryAcquireOrRenew(signal)) return true;
      await clock.sleep(this.#retryMs * (1 + JITTER * random.next()), signal).catch(() => {});
    }
    return false;
  }

  /** Returns when the lease could not be renewed in time, or the signal aborts. */
  async #renew(signal: AbortSignal): Promise<void> {
    const { clock } = this.options;
    let deadline = clock.monotonic() + this.#renewMs;
    let attempt = new AbortController();
    // One for as long as it serves: Node 20 keeps something of every joined signal with its sources until they abort, and this is every two seconds.
    let either = AbortSignal.any([signal, attempt.signal]);
    for (;;) {
      await clock.sleep(this.#retryMs, signal).catch(() => {});
      if (signal.aborted) return;
      if (clock.monotonic() >= deadline) {
        // Nothing ran for so long, a process that was stopped or starved: somebody else may lead by now, and not a turn must be lost in asking.
        this.#logger.warn('woke up after the renew deadline', { lease: this.#lease });
        return;
      }
      if (attempt.signal.aborted) {
        attempt = new AbortController();
        either = AbortSignal.any([signal, attempt.signal]);
      }
      const cancel = clock.setTimeout(() => attempt.abort(new Error('renew deadline exceeded')), Math.max(0, deadline - clock.monotonic()));
      const renewed = await this.#tryAcquireOrRenew(either);
      cancel();
      if (renewed) deadline = clock.monotonic() + this.#renewMs;
      else if (clock.monotonic() >= deadline || !this.isLeader) {
        if (!signal.aborted) this.#logger.warn('failed to renew the lease', { lease: this.#lease });
        return;
      }
    }
  }

  get #lease(): string {
    return `${this.options.namespace}/${this.options.name}`;
  }

  get #leases() {
    return this.options.client.api.leases(this.options.namespace);
  }

  async #tryAcquireOrRenew(signal: AbortSignal): Promise<boolean> {
    try {
      return await this.#try(signal);
    } catch (error) {
      if (!signal.aborted) this.#logger.warn('cannot get or update the lease', { lease: this.#lease, err: error });
      return false;
    }
  }

  async #try(signal: AbortSignal): Promise<boolean> {
    const { clock, identity, name, namespace } = this.options;
    const now = formatMicroTime(clock.now());
    let current: Lease;
    // The leader whose record is still the one it wrote skips the read.
    if (this.isLeader && this.#observed) current = this.#observed;
    else {
      try {
        current = await this.#leases.get(name, { signal });
      } catch (error) {
        if (!isNotFound(error)) throw error;
        const spec = { holderIdentity: identity, leaseDurationSeconds: this.#leaseSeconds, acquireTime: now, renewTime: now, leaseTransitions: 0 };
        this.#observe(await this.#leases.create({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name, namespace }, spec }, { signal }));
        return true;
      }
      if (!deepEqual(this.#observed?.spec, current.spec)) this.#observe(current);
      const holder = current.spec?.holderIdentity ?? '';
      const lasts = (current.spec?.leaseDurationSeconds ?? 0) * 1000;
      if (holder !== '' && holder !== identity && this.#observedAt + lasts > clock.monotonic()) return false;
    }
    const wasOurs = current.spec?.holderIdentity === identity;
    const next = cloneJson(current);
    next.spec = {
      ...next.spec,
      holderIdentity: identity,
      leaseDurationSeconds: this.#leaseSeconds,
      renewTime: now,
      acquireTime: wasOurs ? (current.spec?.acquireTime ?? now) : now,
      leaseTransitions: (current.spec?.leaseTransitions ?? 0) + (wasOurs ? 0 : 1),
    };
    try {
      this.#observe(await this.#leases.update(next, { signal }));
    } catch (error) {
      // What we believed is old: read next time.
      if (this.isLeader && !signal.aborted) await this.#refresh(signal);
      throw error;
    }
    return true;
  }

  async #refresh(signal: AbortSignal): Promise<void> {
    try {
      this.#observe(await this.#leases.get(this.options.name, { signal }));
    } catch (error) {
      this.#logger.debug('cannot read the lease', { lease: this.#lease, err: error });
    }
  }

  get #leaseSeconds(): number {
    return Math.max(1, Math.floor(this.#leaseMs / 1000));
  }

  #observe(lease: Lease): void {
    this.#observed = lease;
    this.#observedAt = this.options.clock.monotonic();
    const holder = lease.spec?.holderIdentity ?? '';
    if (holder !== '' && holder !== this.#reported) {
      this.#reported = holder;
      this.options.onNewLeader?.(holder);
    }
  }

  /** Another may lead at once. */
  async #release(): Promise<void> {
    const { clock, name } = this.options;
    const limit = new AbortController();
    const cancel = clock.setTimeout(() => limit.abort(new Error('release deadline exceeded')), this.#renewMs);
    try {
      const current = await this.#leases.get(name, { signal: limit.signal });
      if (current.spec?.holderIdentity !== this.options.identity) return;
      const now = formatMicroTime(clock.now());
      const spec = { ...current.spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: now, acquireTime: now };
      this.#observe(await this.#leases.update({ ...current, spec }, { signal: limit.signal }));
    } catch (error) {
      this.#logger.warn('failed to release the lease', { lease: this.#lease, err: error });
    } finally {
      cancel();
    }
  }
}
