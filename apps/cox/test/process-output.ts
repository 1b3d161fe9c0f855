import type { ChildProcess } from 'node:child_process';

/** What a process prints until it contains `part`. */
export const until = (child: ChildProcess, part: string) =>
  new Promise<string>((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => reject(new Error(`no ${part} in ${text}`)), 30_000);
    const read = (chunk: Buffer) => {
      text += chunk.toString();
      if (!text.includes(part)) return;
      clearTimeout(timer);
      resolve(text);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
  });
