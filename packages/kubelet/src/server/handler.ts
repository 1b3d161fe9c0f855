import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpError } from './http-error.js';

/** One request of the kubelet's API. */
export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  /** The path below the handler's own name. */
  readonly parts: readonly string[];
  /** Aborted when the client went away. */
  readonly signal: AbortSignal;
}

export type Handler = (call: Call) => Promise<void>;

/** A handler that is only read from. */
export const readOf =
  (handler: Handler): Handler =>
  async (call) => {
    refuseWrites(call.request, call.response);
    await handler(call);
  };

/** A handler that the configuration turned off. */
export const off = (message: string): Handler => {
  return async () => {
    throw new HttpError(405, message);
  };
};

export function refuseWrites(request: IncomingMessage, response: ServerResponse): void {
  if (request.method === 'GET' || request.method === 'HEAD') return;
  response.setHeader('allow', 'GET');
  throw new HttpError(405, 'Method Not Allowed');
}
