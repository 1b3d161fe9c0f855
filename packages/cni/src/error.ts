/** The spec's well-known codes (section 2, "Error"); plugins may use 100 and up. */
export const CniErrorCode = {
  incompatibleVersion: 1,
  unsupportedField: 2,
  unknownContainer: 3,
  invalidEnvironment: 4,
  ioFailure: 5,
  decodingFailure: 6,
  invalidConfig: 7,
  tryAgainLater: 11,
  /** STATUS: cannot serve ADD. */
  notAvailable: 50,
  /** STATUS: cannot serve ADD, and attached containers may have lost connectivity. */
  notAvailableLimited: 51,
  internal: 999,
} as const;

/** What a plugin answers when it fails. */
export class CniError extends Error {
  override readonly name = 'CniError';
  constructor(
    readonly code: number,
    message: string,
    readonly details?: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  toJSON(cniVersion: string): { cniVersion: string; code: number; msg: string; details?: string } {
    return { cniVersion, code: this.code, msg: this.message, ...(this.details ? { details: this.details } : {}) };
  }
}

/** Any thrown thing as a `CniError`. */
export function toCniError(error: unknown): CniError {
  if (error instanceof CniError) return error;
  const failure = error as NodeJS.ErrnoException;
  const code = failure.code !== undefined && /^E[A-Z]+$/.test(failure.code) ? CniErrorCode.ioFailure : CniErrorCode.internal;
  return new CniError(code, failure.message ?? String(error), undefined, { cause: error });
}
