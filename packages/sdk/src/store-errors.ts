/** Base of all errors a StateStore rejects with. `code` is stable. */
export class StoreError extends Error {
  constructor(
    readonly code: 'compacted' | 'future-revision' | 'lease-not-found' | 'lease-exists' | 'no-space' | 'corrupt' | 'unavailable' | 'invalid',
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The revision asked for has been compacted away. */
export class CompactedError extends StoreError {
  constructor(
    readonly requested: number,
    readonly compactRevision: number,
  ) {
    super('compacted', `revision ${requested} has been compacted; the oldest readable revision is ${compactRevision}`);
  }
}

/** The revision asked for lies ahead of the store. */
export class FutureRevisionError extends StoreError {
  constructor(
    readonly requested: number,
    readonly currentRevision: number,
  ) {
    super('future-revision', `revision ${requested} is in the future; the store is at ${currentRevision}`);
  }
}

export class LeaseNotFoundError extends StoreError {
  constructor(readonly lease: number) {
    super('lease-not-found', `lease ${lease} does not exist`);
  }
}

/** The disk is full: reads go on, writes are refused until there is space. */
export class NoSpaceError extends StoreError {
  constructor(message: string, options?: ErrorOptions) {
    super('no-space', message, options);
  }
}

/** The file is not a store, or is damaged; the message names the file and what to do. */
export class CorruptStoreError extends StoreError {
  constructor(message: string, options?: ErrorOptions) {
    super('corrupt', message, options);
  }
}

/** No quorum, connection lost, closing: may be retried. Whether a write took place is unknown. */
export class StoreUnavailableError extends StoreError {
  constructor(message: string, options?: ErrorOptions) {
    super('unavailable', message, options);
  }
}

export class InvalidStoreRequestError extends StoreError {
  constructor(message: string) {
    super('invalid', message);
  }
}

/** Makes the contract's errors; what `@coxswain/mvcc` takes as `errors`. */
export const storeErrors = Object.freeze({
  compacted: (requested: number, compact: number) => new CompactedError(requested, compact),
  futureRevision: (requested: number, current: number) => new FutureRevisionError(requested, current),
  leaseNotFound: (lease: number) => new LeaseNotFoundError(lease),
  leaseExists: (lease: number) => new StoreError('lease-exists', `lease ${lease} already exists`),
  unavailable: (message: string, cause?: unknown) => new StoreUnavailableError(message, { cause }),
  invalid: (message: string) => new InvalidStoreRequestError(message),
});
