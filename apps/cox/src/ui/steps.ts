import { performance } from 'node:perf_hooks';

const tty = process.stderr.isTTY === true;

/** Steps with their times, one line each; on a terminal the running one is shown too. */
export class Steps {
  readonly #started = performance.now();

  async run<T>(title: string, work: (say: (detail: string) => void) => Promise<T>): Promise<T> {
    const begun = performance.now();
    this.#pending(title);
    try {
      const result = await work((detail) => this.#pending(`${title}: ${detail}`));
      this.#line('✓', title, begun);
      return result;
    } catch (error) {
      this.#line('✗', title, begun);
      throw error;
    }
  }

  /** A line between steps, for what was decided. */
  note(message: string): void {
    process.stderr.write(`  ${message}\n`);
  }

  done(message: string): void {
    process.stderr.write(`${message} (${seconds(performance.now() - this.#started)})\n`);
  }

  #pending(text: string): void {
    if (tty) process.stderr.write(`\r\x1b[2K  ${text} …`);
  }

  #line(mark: string, title: string, begun: number): void {
    if (tty) process.stderr.write('\r\x1b[2K');
    process.stderr.write(`${mark} ${title} (${seconds(performance.now() - begun)})\n`);
  }
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
