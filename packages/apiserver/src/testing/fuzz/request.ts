import { connect, type TLSSocket } from 'node:tls';

export interface RawRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: Buffer;
  /** Send no more than this of it, then hang up. */
  readonly cutAt?: number;
  /** Send in pieces of this size, a turn of the event loop apart. */
  readonly pieces?: number;
  /** Hang up when the answer begins: what a client that left a watch does. */
  readonly leaveEarly?: boolean;
}

export interface RawAnswer {
  /** 0: the server closed the connection without one, or the client left. */
  readonly status: number;
  readonly head: string;
}

export interface Target {
  readonly port: number;
  readonly ca: string;
  readonly token: string;
}

/** How long a server may take over any of the cases. */
const PATIENCE_MS = 30_000;

/** The request as bytes: nothing a client library would correct. */
export function requestBytes(request: RawRequest, token: string): Buffer {
  const { body } = request;
  const given = request.headers ?? [];
  const has = (name: string) => given.some(([key]) => key.toLowerCase() === name);
  const headers = [
    ['Host', '127.0.0.1'],
    ['Connection', 'close'],
    ...(has('authorization') ? [] : [['Authorization', `Bearer ${token}`]]),
    ...(body === undefined || has('content-length') || has('transfer-encoding') ? [] : [['Content-Length', String(body.length)]]),
    ...given,
  ];
  const head = `${request.method} ${request.path} HTTP/1.1\r\n${headers.map(([key, value]) => `${key}: ${value}\r\n`).join('')}\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), body ?? Buffer.alloc(0)]);
}

/** Rejects when there is no answer in time: a hang is a finding. */
export function send(request: RawRequest, target: Target): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: target.port, ca: target.ca, servername: 'localhost', checkServerIdentity: () => undefined });
    let head = '';
    const finish = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ status: Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? 0), head: head.slice(0, 2000) });
    };
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no answer within ${PATIENCE_MS} ms`));
    }, PATIENCE_MS);
    socket.on('data', (chunk: Buffer) => {
      if (head.length < 2000) head += chunk.toString('latin1');
      if (request.leaveEarly && head.includes('\r\n\r\n')) finish();
    });
    socket.on('end', finish);
    socket.on('close', finish);
    socket.on('error', finish);
    socket.on('secureConnect', () => void write(socket, request, target.token).catch(finish));
  });
}

async function write(socket: TLSSocket, request: RawRequest, token: string): Promise<void> {
  const bytes = requestBytes(request, token).subarray(0, request.cutAt);
  const step = request.pieces ?? bytes.length;
  for (let at = 0; at < bytes.length && !socket.destroyed; at += step) {
    socket.write(bytes.subarray(at, at + step));
    if (request.pieces !== undefined) await new Promise((resolve) => setImmediate(resolve));
  }
  if (request.cutAt !== undefined) socket.end();
}
