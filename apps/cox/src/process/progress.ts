import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';

/** What a background process tells the command that started it, one JSON line each, on file descriptor 3. */
export type Progress = { readonly type: 'step'; readonly text: string } | { readonly type: 'ready' } | { readonly type: 'failed'; readonly message: string };

/**
 * The reporting end; the last word (ready, failed) resolves once it is written. The command may be gone at any time (Ctrl-C): then
 * nobody listens, and that is fine.
 */
export function progressReporter(): (progress: Progress) => Promise<void> {
  if (process.env['COXSWAIN_PROGRESS_FD'] !== '3') return async () => {};
  const out = createWriteStream('', { fd: 3 });
  const closed = new Promise<void>((resolve) => {
    out.on('error', () => resolve());
    out.on('close', () => resolve());
  });
  return async (progress) => {
    out.write(`${JSON.stringify(progress)}\n`);
    if (progress.type === 'step') return;
    out.end();
    await closed;
  };
}

/** The listening end. */
export async function* readProgress(stream: Readable): AsyncGenerator<Progress> {
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') yield JSON.parse(line) as Progress;
  }
}
