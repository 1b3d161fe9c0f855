import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';

/** A request of HTTP/1.1 or HTTP/2; both look alike to us. */
export type WebRequest = IncomingMessage | Http2ServerRequest;

/** The part of the answer that both protocols have in one form. */
export interface WebResponse {
  readonly headersSent: boolean;
  readonly writableEnded: boolean;
  setHeader(name: string, value: string): unknown;
  writeHead(status: number, headers?: Record<string, string | number>): WebResponse;
  write(chunk: Uint8Array): boolean;
  end(body?: string | Uint8Array): unknown;
  once(event: 'close' | 'drain', listener: () => void): unknown;
  destroy(error?: Error): unknown;
}

export const asWebResponse = (response: ServerResponse | Http2ServerResponse): WebResponse => response as WebResponse;

/** The request was not acceptable; the message is for the user. */
export class WebError extends Error {
  override readonly name = 'WebError';

  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export async function readBody(request: WebRequest, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit) throw new WebError(413, `the body is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Write all of it, no faster than it is taken; ends early when nobody takes it any more. */
export async function pump(response: WebResponse, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  let closed = false;
  response.once('close', () => {
    closed = true;
  });
  for await (const chunk of chunks) {
    if (closed) return;
    if (response.write(chunk)) continue;
    await new Promise<void>((resolve) => {
      response.once('drain', resolve);
      response.once('close', resolve);
    });
  }
  response.end();
}

export function sendJson(response: WebResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers }).end(JSON.stringify(body));
}
