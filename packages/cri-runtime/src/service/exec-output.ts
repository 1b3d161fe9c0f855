import { Writable } from 'node:stream';

/**
 * What ExecSync returns at most, of both streams together: the API caps it at 16 MB and has the rest dropped without an error. Upstream's
 * clients take messages of 16 MiB, so that what frames the output has to fit beside it.
 */
export const EXEC_SYNC_LIMIT = 16 * 1024 * 1024 - 1024;

export interface CollectedOutput {
  readonly stream: Writable;
  bytes(): Buffer;
}

/** Two streams that keep what is written to them first and swallow what goes beyond the limit. */
export function execOutput(limit = EXEC_SYNC_LIMIT): { readonly stdout: CollectedOutput; readonly stderr: CollectedOutput } {
  let left = limit;
  const collected = (): CollectedOutput => {
    const parts: Buffer[] = [];
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        const kept = chunk.subarray(0, left);
        if (kept.length > 0) parts.push(kept);
        left -= kept.length;
        done();
      },
    });
    return { stream, bytes: () => Buffer.concat(parts) };
  };
  return { stdout: collected(), stderr: collected() };
}
