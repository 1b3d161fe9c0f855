import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { Clock, Logger, Random } from '@coxswain/sdk';
import { AnswerCache } from './answer-cache.js';
import type { Upstream } from './resolv-conf.js';
import { readAnswer } from './wire.js';
import type { WireQuery } from './wire.js';

export type DnsProtocol = 'udp' | 'tcp';

export interface ForwarderOptions {
  readonly upstreams: readonly Upstream[];
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Per try. Default 2000 ms; all tries together end after 5000 ms. */
  readonly timeoutMs?: number;
  /** Questions on their way at the same time; more are refused. Default 1000. */
  readonly maxConcurrent?: number;
  readonly onCache?: (hit: boolean) => void;
}

const TOTAL_MS = 5000;

/**
 * Asks other servers. Each try uses a socket (so a port) and an id of its own. The same question asked again while it is on its
 * way waits for the same answer: a query that comes back to us through a resolver that points here ends there, in a timeout,
 * instead of going round.
 */
export class Forwarder {
  readonly #inFlight = new Map<string, Promise<Buffer | undefined>>();
  readonly #cache: AnswerCache;
  #first = 0;

  constructor(readonly options: ForwarderOptions) {
    this.#cache = new AnswerCache({
      now: () => options.clock.monotonic(),
      maxEntries: 10_000,
      maxTtl: 3600,
      maxNegativeTtl: 30,
    });
  }

  get cacheSize(): number {
    return this.#cache.size;
  }

  /** The answer, with the id and the question as they were asked; undefined when nobody answered in time. */
  async ask(message: Buffer, query: WireQuery, protocol: DnsProtocol): Promise<Buffer | undefined> {
    if (this.options.upstreams.length === 0) return undefined;
    const key = cacheKey(query, protocol);
    const kept = this.#cache.get(key);
    this.options.onCache?.(kept !== undefined);
    if (kept) return addressed(kept, message, query);
    let asking = this.#inFlight.get(key);
    if (!asking) {
      if (this.#inFlight.size >= (this.options.maxConcurrent ?? 1000)) return undefined;
      asking = this.#askAny(message, query, protocol, key).finally(() => this.#inFlight.delete(key));
      this.#inFlight.set(key, asking);
    }
    const answer = await asking;
    return answer && addressed(Buffer.from(answer), message, query);
  }

  async #askAny(message: Buffer, query: WireQuery, protocol: DnsProtocol, key: string): Promise<Buffer | undefined> {
    const { upstreams, clock, logger, timeoutMs = 2000 } = this.options;
    const end = clock.monotonic() + TOTAL_MS;
    let last: unknown;
    for (let i = 0; i < upstreams.length * 2 && clock.monotonic() < end; i++) {
      const at = (this.#first + i) % upstreams.length;
      const upstream = upstreams[at] as Upstream;
      const out = Buffer.from(message);
      out.writeUInt16BE(this.options.random.int(0x10000), 0);
      try {
        const left = Math.min(timeoutMs, end - clock.monotonic());
        const answer = await (protocol === 'udp' ? askUdp : askTcp)(out, upstream, clock, left);
        const shape = readAnswer(answer);
        if (!shape) throw new Error('malformed answer');
        // Whoever answered is asked first from now on.
        this.#first = at;
        this.#cache.set(key, answer, shape);
        return answer;
      } catch (error) {
        last = error;
      }
    }
    logger.debug('no upstream answered', { name: query.name, type: query.type, err: last });
    return undefined;
  }
}

function cacheKey(query: WireQuery, protocol: DnsProtocol): string {
  const { name, type, edns } = query;
  const bits = (query.checkingDisabled ? 1 : 0) | (query.recursionDesired ? 2 : 0) | (edns ? 4 : 0) | (edns?.dnssec ? 8 : 0);
  return `${protocol} ${bits} ${type} ${query.class} ${name.toLowerCase()}`;
}

/** The stored answer for somebody else's question: their id, and their spelling of the name. */
function addressed(answer: Buffer, message: Buffer, query: WireQuery): Buffer {
  message.copy(answer, 0, 0, 2);
  message.copy(answer, 12, 12, query.end);
  return answer;
}

/** Same id, and the same question after it (names compare without case). */
function answers(message: Buffer, question: Buffer): boolean {
  if (message.length < 12 || message.readUInt16BE(0) !== question.readUInt16BE(0) || message.readUInt8(2) < 0x80) return false;
  const end = questionEnd(question);
  const fold = (b: Buffer) => b.toString('latin1', 12, end).toLowerCase();
  return message.length >= end && fold(message) === fold(question);
}

function questionEnd(message: Buffer): number {
  let at = 12;
  while (message.readUInt8(at) !== 0) at += message.readUInt8(at) + 1;
  return at + 5;
}

function askUdp(out: Buffer, upstream: Upstream, clock: Clock, ms: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(upstream.address) ? 'udp6' : 'udp4');
    const finish = (act: () => void) => {
      cancel();
      socket.removeAllListeners();
      // Late ICMP errors have nobody to tell.
      socket.on('error', () => {});
      socket.close();
      act();
    };
    const cancel = clock.setTimeout(() => finish(() => reject(new Error(`${upstream.address} did not answer`))), ms);
    socket.on('error', (error) => finish(() => reject(error)));
    socket.on('message', (message) => {
      // Anything else is a late or a forged answer.
      if (answers(message, out)) finish(() => resolve(message));
    });
    // Connected: only this server's packets arrive, and a closed port is known at once.
    socket.connect(upstream.port, upstream.address, () => socket.send(out));
  });
}

function askTcp(out: Buffer, upstream: Upstream, clock: Clock, ms: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(upstream.port, upstream.address);
    let received = Buffer.alloc(0);
    const finish = (act: () => void) => {
      cancel();
      socket.removeAllListeners();
      socket.on('error', () => {});
      socket.destroy();
      act();
    };
    const cancel = clock.setTimeout(() => finish(() => reject(new Error(`${upstream.address} did not answer`))), ms);
    socket.on('error', (error) => finish(() => reject(error)));
    socket.on('end', () => finish(() => reject(new Error(`${upstream.address} closed the connection`))));
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < received.readUInt16BE(0) + 2) return;
      const message = received.subarray(2, received.readUInt16BE(0) + 2);
      finish(() => (answers(message, out) ? resolve(message) : reject(new Error('not the answer to the question'))));
    });
    const frame = Buffer.allocUnsafe(out.length + 2);
    frame.writeUInt16BE(out.length, 0);
    out.copy(frame, 2);
    socket.write(frame);
  });
}
