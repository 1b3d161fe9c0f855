/** Runs one piece of work at a time, in the order they came; one that fails holds nobody up. */
export class SerialQueue {
  #tail: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#tail.then(work);
    // Whoever asked for it is told.
    this.#tail = done.catch(() => {});
    return done;
  }
}
