export type MvccErrorCode = 'compacted' | 'future-revision' | 'lease-not-found' | 'lease-exists' | 'unavailable' | 'invalid';

/** What the core throws when nobody gave it an error factory. */
export class MvccError extends Error {
  constructor(
    readonly code: MvccErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'MvccError';
  }
}

/** Makes the errors of the contract a store is built for, so that no layer has to translate them afterwards. */
export interface ErrorFactory {
  compacted(requested: number, compactRevision: number): Error;
  futureRevision(requested: number, currentRevision: number): Error;
  leaseNotFound(lease: number): Error;
  leaseExists(lease: number): Error;
  unavailable(message: string, cause?: unknown): Error;
  invalid(message: string): Error;
}

export const mvccErrors: ErrorFactory = Object.freeze({
  compacted: (requested: number, compact: number) =>
    new MvccError('compacted', `revision ${requested} has been compacted; the oldest readable revision is ${compact}`),
  futureRevision: (requested: number, current: number) =>
    new MvccError('future-revision', `revision ${requested} is in the future; the store is at ${current}`),
  leaseNotFound: (lease: number) => new MvccError('lease-not-found', `lease ${lease} does not exist`),
  leaseExists: (lease: number) => new MvccError('lease-exists', `lease ${lease} already exists`),
  unavailable: (message: string, cause?: unknown) => new MvccError('unavailable', message, { cause }),
  invalid: (message: string) => new MvccError('invalid', message),
});
