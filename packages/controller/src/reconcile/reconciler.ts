/** When to look at a key again although nothing changed. */
export interface ReconcileResult {
  /** Milliseconds; absent or 0: not before something changes. */
  readonly requeueAfterMs?: number | undefined;
}

/**
 * The contract of a controller: a key in, done or requeue-after or an error out.
 *
 * - A key says *which* object to look at, never what happened to it: read the state, compare with what is wanted, act, return.
 *   The object may be gone.
 * - It runs at most once at a time per key, and may be run again at any moment: acting twice must be harmless.
 * - Throwing (or rejecting) queues the key again with growing delay; `TerminalError` does not: nothing but a change of the object helps.
 * - `signal` aborts when the controller has to stop before this has ended.
 */
// biome-ignore lint/suspicious/noConfusingVoidType: a reconciler that returns nothing is done
export type Reconcile = (key: string, signal: AbortSignal) => Promise<ReconcileResult | void> | ReconcileResult | void;

/** Trying again cannot help: the key is not queued again until something changes. */
export class TerminalError extends Error {
  override readonly name = 'TerminalError';
}
