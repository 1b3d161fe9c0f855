import { open, stat } from 'node:fs/promises';
import type { ContainerStatus } from '@coxswain/cri';
import { Keys } from '../pod/keys.js';

const MAX_BYTES = 4096;
const MAX_LOG_BYTES = 2048;
const MAX_LOG_LINES = 80;

/** A container's last words: its termination-log file, or with FallbackToLogsOnError the end of its log when it failed without any. */
export async function terminationMessage(status: ContainerStatus): Promise<string> {
  const { annotations } = status;
  const path = annotations[Keys.terminationMessagePath];
  const mounted = status.mounts.find((m) => m.containerPath === path)?.hostPath;
  const text = mounted ? await readEnd(mounted, MAX_BYTES, 'head') : '';
  if (text !== '' || annotations[Keys.terminationMessagePolicy] !== 'FallbackToLogsOnError' || status.exitCode === 0 || !status.logPath) return text;
  return logLines(await readEnd(status.logPath, 64 * 1024, 'tail'));
}

/** The text of the last lines of a CRI log. Pure. */
export function logLines(log: string): string {
  const lines: string[] = [];
  let open = '';
  for (const line of log.split('\n')) {
    const match = /^\S+ (?:stdout|stderr) ([FP]) (.*)$/.exec(line);
    if (!match) continue;
    open += match[2];
    if (match[1] === 'P') continue;
    lines.push(`${open}\n`);
    open = '';
  }
  // The last words came without a newline.
  if (open) lines.push(open);
  const text = lines.slice(-MAX_LOG_LINES).join('');
  const bytes = Buffer.from(text, 'utf8');
  return bytes.length <= MAX_LOG_BYTES ? text : bytes.subarray(bytes.length - MAX_LOG_BYTES).toString('utf8');
}

async function readEnd(path: string, bytes: number, end: 'head' | 'tail'): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size === 0) return '';
    const file = await open(path, 'r');
    try {
      const length = Math.min(size, bytes);
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, end === 'tail' ? size - length : 0);
      return buffer.subarray(0, bytesRead).toString('utf8');
    } finally {
      await file.close();
    }
  } catch {
    return '';
  }
}
