import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Duplex, Readable, Writable } from 'node:stream';

/** The connection underneath a request, for handlers that pass bytes through (log, exec, attach, port-forward, proxy). */
export interface RawExchange {
  readonly headers: IncomingHttpHeaders;
  /** The request body, unread. */
  readonly input: Readable;
  /** Bytes that came with an upgrade request's head; empty otherwise. */
  readonly head: Buffer;
  /** Set for an `Upgrade` request on HTTP/1.1: the naked connection. */
  readonly upgrade: Duplex | undefined;
  /** Send the response head, then write the body into what comes back. Not for upgrades. */
  respond(status: number, headers: OutgoingHttpHeaders): Writable;
}
