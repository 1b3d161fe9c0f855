import { type Clock, systemClock } from '@coxswain/sdk';
import type { Activity } from './activity.js';
import { milliseconds, type Span, VirtualClock } from './virtual-clock.js';

/** The cluster's time. Virtual: it moves only by these calls. */
export interface ClusterClock extends Clock {
  /** Let a span pass (`'1h'`, `'90s'`, or milliseconds), with everything that happens in it. In real time it is waited for. */
  advance(span: Span): Promise<void>;
  /** Let everything come to rest that needs no time. */
  settle(): Promise<void>;
}

/** What `startTestCluster` runs on: time, and how to make it pass while something is waited for. */
export interface TestTime {
  readonly clock: ClusterClock;
  /** Let time pass until `work` is done, at most `limit` milliseconds of it; then reject with what `late` says. */
  during<T>(work: Promise<T>, limit: number, late: () => Error): Promise<T>;
  /** Move on a little, up to the moment `until` (monotonic). */
  step(until: number): Promise<void>;
}

export function virtualTime(start: number, activity: Activity): TestTime {
  const settled = () => activity.settled();
  const virtual = new VirtualClock(start, settled);
  const clock: ClusterClock = Object.assign(virtual, { settle: settled });
  return {
    clock,
    async during(work, limit, late) {
      let done = false;
      const finished = work.finally(() => {
        done = true;
      });
      // Whoever awaits `finished` below sees its failure.
      finished.catch(() => {});
      const until = virtual.monotonic() + limit;
      await settled();
      while (!done) {
        if (virtual.monotonic() >= until) throw late();
        if (!(await virtual.step(until))) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      return finished;
    },
    async step(until) {
      if (!(await virtual.step(until))) await virtual.advance(Math.max(0, until - virtual.monotonic()));
    },
  };
}

const REAL_STEP_MS = 10;

export function realTime(activity: Activity): TestTime {
  const clock: ClusterClock = {
    now: () => systemClock.now(),
    monotonic: () => systemClock.monotonic(),
    setTimeout: (fn, ms) => systemClock.setTimeout(fn, ms),
    sleep: (ms, signal) => systemClock.sleep(ms, signal),
    advance: (span) => new Promise((resolve) => setTimeout(resolve, milliseconds(span))),
    settle: () => activity.settled(),
  };
  return {
    clock,
    during: (work, limit, late) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(late()), limit);
        work.then(resolve, reject).finally(() => clearTimeout(timer));
      }),
    step: () => new Promise((resolve) => setTimeout(resolve, REAL_STEP_MS)),
  };
}
