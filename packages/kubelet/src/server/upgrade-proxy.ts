import type { IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { connect as tlsConnect } from 'node:tls';

const HOP = new Set(['host', 'authorization']);

/**
 * Hands an upgrade request (SPDY or WebSocket) to the runtime's streaming server and joins the two connections: what follows the
 * handshake is none of our business. After `idleMs` without a byte either way they are closed; 0: never.
 */
export function proxyUpgrade(request: IncomingMessage, socket: Socket, head: Buffer, target: URL, idleMs: number): void {
  const port = Number(target.port) || (target.protocol === 'https:' ? 443 : 80);
  const host = target.hostname.replace(/^\[|\]$/g, '');
  const upstream = target.protocol === 'https:' ? tlsConnect({ host, port, rejectUnauthorized: false }) : connect({ host, port });
  const fail = (error: Error) => {
    if (socket.writable)
      socket.end(
        `HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\nthe container runtime's streaming server does not answer: ${error.message}\n`,
      );
    upstream.destroy();
  };
  upstream.once('error', fail);
  upstream.once(target.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
    upstream.off('error', fail);
    upstream.on('error', () => socket.destroy());
    let out = `${request.method} ${target.pathname}${target.search} HTTP/1.1\r\nhost: ${target.host}\r\n`;
    for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
      const name = request.rawHeaders[i] as string;
      if (!HOP.has(name.toLowerCase())) out += `${name}: ${request.rawHeaders[i + 1]}\r\n`;
    }
    upstream.write(`${out}\r\n`);
    if (head.length > 0) upstream.write(head);
    upstream.setNoDelay(true);
    // A socket's own time runs anew with what is read from it and what is written to it.
    socket.setTimeout(idleMs, () => socket.destroy());
    upstream.pipe(socket);
    socket.pipe(upstream);
  });
  socket.on('error', () => upstream.destroy());
  socket.once('close', () => upstream.destroy());
  upstream.once('close', () => socket.end());
}
