/** A failure a person can do something about: what is wrong, and what to do. Printed without a stack. */
export class CliError extends Error {
  constructor(
    message: string,
    readonly hint?: string,
    /** 1: it failed; 2: it was called wrongly. */
    readonly exitCode: 1 | 2 = 1,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'CliError';
  }
}

/** How any error is told on the terminal; `AggregateError`s name each part once. */
export function describeError(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return [...new Set(error.errors.map(describeError))].join('\n');
  if (error instanceof CliError) return error.hint === undefined ? error.message : `${error.message}\n  → ${error.hint}`;
  return error instanceof Error ? error.message : String(error);
}
