import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

/** An HTTP upgrade request as Node's `upgrade` event gives it. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** A request that cannot be upgraded, and the HTTP status to say so with. */
export class UpgradeError extends Error {
  constructor(
    readonly statusCode: number,
    message: string,
  ) {
    super(message);
  }
}

export function upgradeKind(request: IncomingMessage): 'websocket' | 'spdy' {
  const kind = String(request.headers.upgrade ?? '').toLowerCase();
  if (kind === 'websocket') return 'websocket';
  if (kind === 'spdy/3.1') return 'spdy';
  throw new UpgradeError(400, 'unable to upgrade: expected an Upgrade header of SPDY/3.1 or websocket');
}

/** Answer 101 for SPDY with the first of `supported` that the client offers. */
export function acceptSpdyUpgrade({ request, socket }: UpgradeRequest, supported: readonly string[], fallback?: string): string {
  const offered = [request.headers['x-stream-protocol-version'] ?? []]
    .flat()
    .flatMap((v) => v.split(','))
    .map((v) => v.trim());
  const protocol = offered.length === 0 ? fallback : supported.find((p) => offered.includes(p));
  if (protocol === undefined) {
    throw new UpgradeError(
      403,
      `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(' ')}], server accepts [${supported.join(' ')}]`,
    );
  }
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`);
  return protocol;
}

/** Answer a WebSocket handshake with the first of `supported` that the client offers. The socket is paused: resume it once listened to. */
export function acceptWebSocket(
  { request, socket, head }: UpgradeRequest,
  supported: readonly string[],
  fallback?: string,
): Promise<{ ws: WebSocket; protocol: string }> {
  const offered = String(request.headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((v) => v.trim())
    .filter(Boolean);
  const protocol = offered.length === 0 ? fallback : supported.find((p) => offered.includes(p));
  if (protocol === undefined) throw new UpgradeError(400, `unable to upgrade: none of the subprotocols [${offered.join(' ')}] is supported`);
  // `ws` only takes subprotocols that are HTTP tokens, and "SPDY/3.1+portforward.k8s.io" is not: negotiate around it.
  delete request.headers['sec-websocket-protocol'];
  return new Promise((resolve) => {
    const server = new WebSocketServer({ noServer: true, perMessageDeflate: false });
    server.on('headers', (headers) => {
      if (offered.length) headers.push(`Sec-WebSocket-Protocol: ${protocol}`);
    });
    // `ws` takes the socket's idle timeout away.
    const idleMs = request.socket.timeout;
    server.handleUpgrade(request, socket, head, (ws) => {
      if (idleMs) request.socket.setTimeout(idleMs);
      ws.pause();
      resolve({ ws, protocol });
    });
  });
}

/** Answer an upgrade request with a plain HTTP error and close. */
export function rejectUpgrade(socket: Duplex, error: unknown): void {
  const code = error instanceof UpgradeError ? error.statusCode : 500;
  const body = `${error instanceof Error ? error.message : String(error)}\n`;
  socket.on('error', () => {});
  socket.end(
    `HTTP/1.1 ${code} ${code === 404 ? 'Not Found' : 'Error'}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
