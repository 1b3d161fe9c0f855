/** Why a container did not start: becomes its waiting reason. */
export class StartError extends Error {
  constructor(
    readonly reason: string,
    message: string,
    /** Milliseconds until trying again makes sense. */
    readonly retryMs?: number,
  ) {
    super(message);
    this.name = 'StartError';
  }
}
