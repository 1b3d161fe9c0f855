/** Lets others wait for changes of a pod. */
export class PodSignals {
  readonly #waiters = new Map<string, Set<() => void>>();

  notify(uid: string): void {
    const waiters = this.#waiters.get(uid);
    this.#waiters.delete(uid);
    for (const waiter of waiters ?? []) waiter();
  }

  /** Resolves with the next change, or when the signal aborts. */
  next(uid: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(uid) ?? new Set();
      this.#waiters.set(uid, waiters);
      const done = () => {
        signal.removeEventListener('abort', done);
        waiters.delete(done);
        if (waiters.size === 0 && this.#waiters.get(uid) === waiters) this.#waiters.delete(uid);
        resolve();
      };
      waiters.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}
