import type { Readable, Writable } from 'node:stream';

export interface ExecOptions {
  readonly cmd: readonly string[];
  readonly tty: boolean;
  readonly stdin?: Readable;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  readonly resize?: AsyncIterable<{ readonly width: number; readonly height: number }>;
  /** Milliseconds; absent or 0: none. */
  readonly timeoutMs?: number;
  /** Kill the process when the caller goes. */
  readonly signal?: AbortSignal;
}

/** Runs commands inside running containers. */
export interface ExecRunner {
  /** Returns the exit code. Rejects with `deadlineExceeded` when the time is up and the process has been killed. */
  run(containerId: string, options: ExecOptions): Promise<number>;
}
