import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Endpoint } from './parse-endpoint.js';
import type { TlsMaterial } from './tls-files.js';

const PATIENCE_MS = 1000;

const tlsReasons: readonly (readonly [RegExp, string])[] = [
  [/self[- ]signed|unable to (verify|get)|UNABLE_TO|SELF_SIGNED/i, 'its certificate is not signed by the given CA'],
  [/altname|does not match certificate/i, 'its certificate is not for this address'],
  [/alert certificate expired/i, 'it refused our client certificate, which has expired'],
  [/alert|bad certificate|unknown ca/i, 'it refused our client certificate'],
  [/CERT_HAS_EXPIRED|certificate has expired/i, 'its certificate has expired'],
  [/wrong version number|packet length too long|http request/i, 'it does not speak TLS; use http://'],
];

/**
 * Why a connection to this endpoint does not come about, in words; undefined when it does.
 * gRPC keeps the reason to itself, so this tries once more and looks.
 */
export function explainEndpoint(endpoint: Endpoint, tls: TlsMaterial): Promise<string | undefined> {
  return new Promise((resolve) => {
    const { address } = endpoint;
    const name = 'host' in address && !/^[\d.]+$|:/.test(address.host) ? { servername: address.host } : {};
    const socket: Socket = endpoint.secure ? connectTls({ ...address, ...tls, ...name, ALPNProtocols: ['h2'] }) : connectPlain(address);
    let connected = false;
    const done = (reason: string | undefined) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(reason);
    };
    const timer = setTimeout(() => done(connected ? 'it accepts connections and says nothing' : 'it does not answer'), PATIENCE_MS);
    socket.once(endpoint.secure ? 'secureConnect' : 'connect', () => {
      connected = true;
      // A server that dislikes our certificate says so only after the handshake (TLS 1.3); HTTP/2 servers answer the preface.
      socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
    });
    socket.once('data', () => done(undefined));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const text = `${error.code ?? ''} ${error.message}`;
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') return done('nothing is listening there');
      const known = endpoint.secure ? tlsReasons.find(([pattern]) => pattern.test(text)) : undefined;
      done(known ? `${known[1]} (${error.message.trim()})` : error.message);
    });
    socket.once('close', () => done('it closed the connection at once; does it want https?'));
  });
}
