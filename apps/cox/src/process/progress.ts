import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';

/** What a background process tells the command that started it, one JSON line each, on file descriptor 3. */
export type Progress = { readonly type: 'step'; readonly text: string } | { readonly type: 'ready' } | { readonly type: 'failed'; readonly message: string };

/** The reporting end. The command may be gone at any time (Ctrl-C): then nobody listens, and that is fine. */
export function progressReporter(): (progress: Progress) => void {
  if (process.env['COXSWAIN_PROGRESS_FD'] !== '3') return () => {};
  const out = createWriteStream('', { fd: 3 });
  out.on('error', () => {});
  return (progress) => {
    out.write(`${JSON.stringify(progress)}\n`);
    if (progress.type !== 'step') out.end();
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
