import { CriError, type RpcCodeName } from '@coxswain/cri';

/** What the engine answered, or that it did not, as CRI says it. */
export class EngineError extends CriError {
  constructor(
    code: RpcCodeName,
    message: string,
    /** HTTP status; undefined when there was no answer. */
    readonly status?: number,
    options?: ErrorOptions,
  ) {
    super(code, message, options);
  }
}

/** 304 and the like are no errors; what the engine knows no better than we do is `unknown`, as upstream's servers say. */
export function codeOfStatus(status: number): RpcCodeName {
  if (status === 404) return 'notFound';
  if (status === 401 || status === 403) return 'permissionDenied';
  return 'unknown';
}

export const isEngineStatus = (error: unknown, ...statuses: number[]): error is EngineError =>
  error instanceof EngineError && error.status !== undefined && statuses.includes(error.status);

/** For `.catch`: these statuses mean that there is nothing to do. */
export const ignoring =
  (...statuses: number[]) =>
  (error: unknown): undefined => {
    if (!isEngineStatus(error, ...statuses)) throw error;
    return undefined;
  };
