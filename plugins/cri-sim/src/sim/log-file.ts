import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * A container's log in CRI format. Opened anew for every line: a rotated file is left behind by itself, and ten thousand containers
 * hold no file open. Synchronous, so that a line is there once the clock has passed its time.
 */
export class LogFile {
  #made = false;

  constructor(private readonly path: string) {}

  /** Makes the file: a container that says nothing has an empty log, not none. */
  create(): void {
    if (this.path === '') return;
    mkdirSync(dirname(this.path), { recursive: true });
    appendFileSync(this.path, '', { mode: 0o640 });
    this.#made = true;
  }

  write(stream: 'stdout' | 'stderr', line: string, at: number): void {
    if (this.path === '') return;
    if (!this.#made) this.create();
    const time = new Date(at).toISOString().replace('Z', '000000Z');
    const text = line
      .split('\n')
      .map((part) => `${time} ${stream} F ${part}\n`)
      .join('');
    appendFileSync(this.path, text, { mode: 0o640 });
  }
}
