import { type LogLevel, logLevels } from '../log-level.js';

/** The least severe level that is logged, shared by a logger and its children. */
export class LeastLevel {
  readonly #given: number;
  #least: number;

  constructor(level: LogLevel) {
    this.#given = this.#least = logLevels.indexOf(level);
  }

  allows(level: LogLevel): boolean {
    return logLevels.indexOf(level) >= this.#least;
  }

  /** From 4 on everything, as `--v`; below it what was asked for at the start, and no less than `info` where that was everything. */
  setVerbosity(verbosity: number): void {
    this.#least = verbosity >= 4 ? 0 : Math.max(this.#given, logLevels.indexOf('info'));
  }
}
