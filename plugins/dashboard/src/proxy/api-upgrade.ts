import { KUBERNETES_VERSION } from '@coxswain/sdk';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Session } from '../session/session-store.js';

const HANDSHAKE = ['connection', 'upgrade', 'sec-websocket-key', 'sec-websocket-version', 'sec-websocket-protocol', 'sec-websocket-extensions'] as const;

/** A WebSocket (exec, attach, port-forward), byte for byte: the handshake is the browser's and the API server's. */
export async function proxyUpgrade(session: Session, request: IncomingMessage, socket: Duplex, path: string, query: string): Promise<void> {
  const headers: Record<string, string> = { 'user-agent': `coxswain-dashboard/${KUBERNETES_VERSION}` };
  for (const name of HANDSHAKE) {
    const value = request.headers[name];
    if (value !== undefined) headers[name] = String(value);
  }
  const gone = new AbortController();
  socket.once('close', () => gone.abort(new Error('the browser went away')));
  const answer = await session.transport.upgrade({ method: 'GET', path, query, headers, signal: AbortSignal.any([gone.signal, session.ended]) });
  if (!answer.socket) return refuseUpgrade(socket, answer.status, Buffer.from(answer.body ?? []).toString('utf8'));
  const upstream = answer.socket;
  const back = ['upgrade', 'connection', 'sec-websocket-accept', 'sec-websocket-protocol', 'sec-websocket-extensions'];
  const lines = back.filter((name) => answer.headers[name] !== undefined).map((name) => `${name}: ${answer.headers[name]}`);
  socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`);
  const end = () => {
    upstream.destroy();
    socket.destroy();
  };
  session.ended.addEventListener('abort', end, { once: true });
  for (const side of [upstream, socket]) {
    side.on('error', end);
    side.once('close', () => {
      session.ended.removeEventListener('abort', end);
      end();
    });
  }
  upstream.pipe(socket).pipe(upstream);
}

export function refuseUpgrade(socket: Duplex, status: number, message: string): void {
  const body = `${message}\n`;
  socket.end(
    `HTTP/1.1 ${status} Refused\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
