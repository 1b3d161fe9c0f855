/*
 * What dns-packet does not give: a look at a message without taking it apart. Forwarded answers are passed on as the bytes they
 * came in, so record types this code has never heard of survive.
 */

export const RCODE = { noError: 0, formErr: 1, servFail: 2, nxDomain: 3, notImp: 4, refused: 5, badVers: 16 } as const;

export const RCODE_NAMES: Readonly<Record<number, string>> = {
  0: 'NOERROR',
  1: 'FORMERR',
  2: 'SERVFAIL',
  3: 'NXDOMAIN',
  4: 'NOTIMP',
  5: 'REFUSED',
  16: 'BADVERS',
};

const OPT = 41;
const SOA = 6;
const HEADER = 12;

export interface WireQuestion {
  /** As sent: the case of letters is kept. Without a trailing dot; '' is the root. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** Where the question section ends. */
  readonly end: number;
}

export interface WireQuery extends WireQuestion {
  readonly id: number;
  readonly opcode: number;
  readonly recursionDesired: boolean;
  readonly checkingDisabled: boolean;
  readonly edns: { readonly payload: number; readonly version: number; readonly dnssec: boolean } | undefined;
}

/** Read a query. Undefined: it is none, or malformed (the header may still be answered with FORMERR). */
export function readQuery(message: Buffer): WireQuery | undefined {
  if (message.length < HEADER) return undefined;
  const flags = message.readUInt16BE(2);
  if ((flags & 0x8000) !== 0 || message.readUInt16BE(4) !== 1) return undefined;
  try {
    const question = readQuestion(message);
    let edns: WireQuery['edns'];
    for (const record of records(message, question.end)) {
      if (record.type !== OPT) continue;
      edns = {
        payload: message.readUInt16BE(record.at + 2),
        version: message.readUInt8(record.at + 5),
        dnssec: (message.readUInt8(record.at + 6) & 0x80) !== 0,
      };
    }
    return {
      ...question,
      id: message.readUInt16BE(0),
      opcode: (flags >> 11) & 15,
      recursionDesired: (flags & 0x0100) !== 0,
      checkingDisabled: (flags & 0x0010) !== 0,
      edns,
    };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Throws RangeError when it is cut short. */
export function readQuestion(message: Buffer): WireQuestion {
  const labels: string[] = [];
  let at = HEADER;
  for (;;) {
    const length = message.readUInt8(at++);
    if (length === 0) break;
    // A question is the first name of a message: there is nothing yet that it could point to.
    if (length > 63 || at + length > message.length) throw new RangeError('malformed name');
    labels.push(message.toString('latin1', at, at + length));
    at += length;
  }
  return { name: labels.join('.'), type: message.readUInt16BE(at), class: message.readUInt16BE(at + 2), end: at + 4 };
}

interface WireRecord {
  readonly type: number;
  /** Offset of the type field. */
  readonly at: number;
  readonly section: 'answer' | 'authority' | 'additional';
  readonly dataAt: number;
  readonly length: number;
}

function* records(message: Buffer, from: number): Generator<WireRecord> {
  const counts = { answer: message.readUInt16BE(6), authority: message.readUInt16BE(8), additional: message.readUInt16BE(10) };
  let at = from;
  for (const section of ['answer', 'authority', 'additional'] as const) {
    for (let i = 0; i < counts[section]; i++) {
      at = skipName(message, at);
      const length = message.readUInt16BE(at + 8);
      if (at + 10 + length > message.length) throw new RangeError('cut short');
      yield { type: message.readUInt16BE(at), at, section, dataAt: at + 10, length };
      at += 10 + length;
    }
  }
}

function skipName(message: Buffer, from: number): number {
  let at = from;
  for (;;) {
    const length = message.readUInt8(at);
    if (length === 0) return at + 1;
    if ((length & 0xc0) === 0xc0) return at + 2;
    at += length + 1;
  }
}

export interface AnswerShape {
  readonly rcode: number;
  readonly truncated: boolean;
  /** Where the TTLs stand. */
  readonly ttlOffsets: readonly number[];
  /** How long it may be kept, in seconds; 0: not at all (errors, negative answers without SOA). */
  readonly ttl: number;
}

/** Look over an answer from another server. Undefined: malformed. */
export function readAnswer(message: Buffer): AnswerShape | undefined {
  try {
    const flags = message.readUInt16BE(2);
    if ((flags & 0x8000) === 0) return undefined;
    const rcode = flags & 15;
    const ttlOffsets: number[] = [];
    let positive = Number.POSITIVE_INFINITY;
    let negative = 0;
    let answers = 0;
    for (const record of records(message, readQuestion(message).end)) {
      if (record.type === OPT) continue;
      const ttl = message.readUInt32BE(record.at + 4);
      ttlOffsets.push(record.at + 4);
      if (record.section === 'answer') answers++;
      if (record.section !== 'additional') positive = Math.min(positive, ttl);
      if (record.section === 'authority' && record.type === SOA && record.length >= 20) {
        // RFC 2308: the smaller of the SOA's TTL and its last field.
        negative = Math.min(ttl, message.readUInt32BE(record.dataAt + record.length - 4));
      }
    }
    const found = rcode === RCODE.noError && answers > 0;
    const keep = found ? positive : rcode === RCODE.noError || rcode === RCODE.nxDomain ? negative : 0;
    return { rcode, truncated: (flags & 0x0200) !== 0, ttlOffsets, ttl: Number.isFinite(keep) ? keep : 0 };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** A header and the question of `query` with only an rcode: for errors, and for answers that do not fit. */
export function emptyAnswer(query: Buffer, rcode: number, options: { readonly truncated?: boolean; readonly questionEnd?: number } = {}): Buffer {
  const out = Buffer.alloc(options.questionEnd ?? HEADER);
  query.copy(out, 0, 0, Math.min(query.length, out.length));
  const flags = query.readUInt16BE(2);
  // Keep opcode, RD and CD; set QR, RA.
  out.writeUInt16BE((flags & 0x7910) | 0x8080 | (options.truncated ? 0x0200 : 0) | (rcode & 15), 2);
  out.writeUInt16BE(options.questionEnd === undefined ? 0 : 1, 4);
  out.fill(0, 6, HEADER);
  return out;
}
