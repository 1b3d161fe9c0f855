/** What went wrong with an image. `code` is stable. */
export type OciErrorCode =
  | 'invalid-reference'
  | 'not-found'
  | 'unauthorized'
  | 'forbidden'
  | 'too-many-requests'
  | 'unavailable'
  | 'digest-mismatch'
  | 'size-mismatch'
  | 'too-large'
  | 'unsupported'
  | 'invalid';

export class OciError extends Error {
  constructor(
    readonly code: OciErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'OciError';
  }
}
