/** The text of a failed runtime call as upstream prints it: gRPC status and description. */
export function runtimeErrorText(error: unknown): string {
  const { code, message } = error as { code?: unknown; message?: string };
  const text = message ?? String(error);
  return typeof code === 'string' ? `rpc error: code = ${grpcName(code)} desc = ${text}` : text;
}

const grpcName = (code: string) => (code === 'canceled' ? 'Canceled' : `${code[0]?.toUpperCase() ?? ''}${code.slice(1)}`);
