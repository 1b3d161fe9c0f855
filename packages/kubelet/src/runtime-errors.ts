import { isRpcError } from '@coxswain/cri';

/** The text of a failed pull as upstream prints it: without a gRPC status that says nothing. */
export function pullErrorText(error: unknown): string {
  return isRpcError(error, 'unknown') ? error.message : runtimeErrorText(error);
}

/** The text of a failed runtime call as upstream prints it: gRPC status and description. */
export function runtimeErrorText(error: unknown): string {
  if (isRpcError(error)) return `rpc error: code = ${grpcName(error.code)} desc = ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

export const grpcName = (code: string) => (code === 'canceled' ? 'Canceled' : `${code[0]?.toUpperCase() ?? ''}${code.slice(1)}`);
