import type { Mutation } from '@coxswain/mvcc';
import { crc32 } from './crc.js';

/*
 * One append, little-endian:
 *   u32 crc32 of all that follows, u32 length of the whole frame, f64 sequence, u32 number of mutations, then each of them:
 *   u8 kind, then
 *     record        f64 revision, u32 sub, u32 length, bytes
 *     lease-put     f64 id, f64 TTL in seconds
 *     lease-delete  f64 id
 *     compact       f64 revision
 */
const HEADER = 20;
const RECORD = 1;
const LEASE_PUT = 2;
const LEASE_DELETE = 3;
const COMPACT = 4;

export interface Frame {
  /** Counts appends, over all restarts. */
  readonly sequence: number;
  readonly mutations: readonly Mutation[];
  /** Bytes in the file. */
  readonly length: number;
}

export function frameLength(mutations: readonly Mutation[]): number {
  return mutations.reduce((sum, mutation) => sum + sizeOf(mutation), HEADER);
}

export function encodeFrame(sequence: number, mutations: readonly Mutation[]): Buffer {
  const length = frameLength(mutations);
  const out = Buffer.allocUnsafe(length);
  out.writeUInt32LE(length, 4);
  out.writeDoubleLE(sequence, 8);
  out.writeUInt32LE(mutations.length, 16);
  let at = HEADER;
  for (const mutation of mutations) at = write(out, at, mutation);
  out.writeUInt32LE(crc32(out.subarray(4)), 0);
  return out;
}

/** The frame that starts at `at`; undefined when there is no whole and undamaged one. Its records are views on `bytes`. */
export function decodeFrame(bytes: Buffer, at: number): Frame | undefined {
  if (at < 0 || at + HEADER > bytes.length) return undefined;
  const length = bytes.readUInt32LE(at + 4);
  if (length < HEADER || at + length > bytes.length) return undefined;
  if (crc32(bytes.subarray(at + 4, at + length)) !== bytes.readUInt32LE(at)) return undefined;
  const mutations: Mutation[] = [];
  const count = bytes.readUInt32LE(at + 16);
  let from = at + HEADER;
  for (let i = 0; i < count; i++) {
    const mutation = read(bytes, from);
    mutations.push(mutation);
    from += sizeOf(mutation);
  }
  return { sequence: bytes.readDoubleLE(at + 8), mutations, length };
}

/** Whether a whole frame of this number is anywhere in `bytes`. */
export function holdsFrame(bytes: Buffer, sequence: number): boolean {
  const wanted = Buffer.alloc(8);
  wanted.writeDoubleLE(sequence);
  for (let at = bytes.indexOf(wanted); at >= 0; at = bytes.indexOf(wanted, at + 1)) if (decodeFrame(bytes, at - 8)?.sequence === sequence) return true;
  return false;
}

function sizeOf(mutation: Mutation): number {
  switch (mutation.type) {
    case 'record':
      return 17 + mutation.record.bytes.length;
    case 'lease-put':
      return 17;
    case 'lease-delete':
    case 'compact':
      return 9;
  }
}

function write(out: Buffer, at: number, mutation: Mutation): number {
  switch (mutation.type) {
    case 'record': {
      const { revision, sub, bytes } = mutation.record;
      out[at] = RECORD;
      out.writeDoubleLE(revision, at + 1);
      out.writeUInt32LE(sub, at + 9);
      out.writeUInt32LE(bytes.length, at + 13);
      out.set(bytes, at + 17);
      break;
    }
    case 'lease-put':
      out[at] = LEASE_PUT;
      out.writeDoubleLE(mutation.id, at + 1);
      out.writeDoubleLE(mutation.ttlSeconds, at + 9);
      break;
    case 'lease-delete':
      out[at] = LEASE_DELETE;
      out.writeDoubleLE(mutation.id, at + 1);
      break;
    case 'compact':
      out[at] = COMPACT;
      out.writeDoubleLE(mutation.revision, at + 1);
  }
  return at + sizeOf(mutation);
}

/** Only of frames whose checksum is right. */
function read(bytes: Buffer, at: number): Mutation {
  const number = bytes.readDoubleLE(at + 1);
  switch (bytes[at]) {
    case RECORD: {
      const length = bytes.readUInt32LE(at + 13);
      return { type: 'record', record: { revision: number, sub: bytes.readUInt32LE(at + 9), bytes: bytes.subarray(at + 17, at + 17 + length) } };
    }
    case LEASE_PUT:
      return { type: 'lease-put', id: number, ttlSeconds: bytes.readDoubleLE(at + 9) };
    case LEASE_DELETE:
      return { type: 'lease-delete', id: number };
    case COMPACT:
      return { type: 'compact', revision: number };
    default:
      throw new RangeError(`the journal holds a mutation of unknown kind ${bytes[at]}`);
  }
}
