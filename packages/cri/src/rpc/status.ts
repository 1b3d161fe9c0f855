/** gRPC status codes by name (https://grpc.io/docs/guides/status-codes). */
export const RpcCode = {
  ok: 0,
  canceled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
} as const;

export type RpcCodeName = keyof typeof RpcCode;

const names = new Map<number, RpcCodeName>(Object.entries(RpcCode).map(([name, code]) => [code, name as RpcCodeName]));

/** The name of a numeric gRPC status; numbers outside the specification read as `unknown`. */
export function rpcCodeName(code: number): RpcCodeName {
  return names.get(code) ?? 'unknown';
}

/** A failed call: what clients reject with, and what services throw to answer with a certain status. */
export class RpcError extends Error {
  constructor(
    readonly code: RpcCodeName,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The status a CRI service answers with. Anything else that is thrown becomes `unknown`, as in upstream's servers. */
export class CriError extends RpcError {}

/** True for an `RpcError` with this code. */
export function isRpcError(error: unknown, ...codes: RpcCodeName[]): error is RpcError {
  return error instanceof RpcError && (codes.length === 0 || codes.includes(error.code));
}
