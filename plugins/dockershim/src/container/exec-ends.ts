export interface ExpectedEnd {
  /** Resolves when the command's first process has ended. Never rejects. */
  readonly promise: Promise<void>;
  cancel(): void;
}

/** Ends of commands in containers, told by the engine's events. A connection alone does not tell: a command's children may hold it open. */
export class ExecEnds {
  readonly #waiting = new Map<string, () => void>();

  expect(execId: string): ExpectedEnd {
    const promise = new Promise<void>((resolve) => this.#waiting.set(execId, resolve));
    return { promise, cancel: () => void this.#waiting.delete(execId) };
  }

  ended(execId: string): void {
    this.#waiting.get(execId)?.();
  }
}
