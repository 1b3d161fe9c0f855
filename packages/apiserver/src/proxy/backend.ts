import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import type { BackendConnections } from './connections.js';

/** Somewhere a request is passed on to. */
export interface Backend {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** With the query, starting with `/`. */
  readonly path: string;
  readonly tls?: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'rejectUnauthorized' | 'servername'>;
  /** Of https, where they are kept. Without: one for each request. */
  readonly connections?: BackendConnections;
}

const CONNECT_TIMEOUT_MS = 30_000;

/** A connection, ready to be written to. Rejects when it cannot be made. */
export function dial({ scheme, host, port, tls }: Backend, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const address = { host, port, allowHalfOpen: true };
    const socket: Socket = scheme === 'https' ? connectTls({ ...address, ...tls, ALPNProtocols: ['http/1.1'] }) : connectTcp(address);
    const fail = (error: Error) => {
      socket.destroy();
      signal.removeEventListener('abort', abort);
      reject(error);
    };
    const abort = () => fail(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    socket.setTimeout(CONNECT_TIMEOUT_MS, () => fail(new Error(`dial tcp ${host}:${port}: i/o timeout`)));
    socket.once('error', fail);
    socket.once(scheme === 'https' ? 'secureConnect' : 'connect', () => {
      socket.setTimeout(0);
      socket.removeListener('error', fail);
      signal.removeEventListener('abort', abort);
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}
