import type { Answer } from 'dns-packet';
import { encode } from 'dns-packet';

const HEADER = 12;
/** A compression pointer to the name of the question. */
const POINTER = Buffer.from([0xc0, HEADER]);

/** One record on the wire. Its owner is written as a pointer when it is the question's name: most are. */
export function recordBytes(record: Answer, questionName: string): Buffer {
  if (record.name.toLowerCase() !== questionName.toLowerCase()) return encode({ answers: [record] }).subarray(HEADER);
  const rootOwned = encode({ answers: [{ ...record, name: '.' } as Answer] });
  return Buffer.concat([POINTER, rootOwned.subarray(HEADER + 1)]);
}

/** An EDNS0 record (RFC 6891). `extendedRcode`: the upper eight bits of the response code. */
export function optBytes(payload: number, extendedRcode: number, dnssec: boolean): Buffer {
  const out = Buffer.alloc(11);
  out.writeUInt16BE(41, 1);
  out.writeUInt16BE(payload, 3);
  out.writeUInt8(extendedRcode, 5);
  out.writeUInt16BE(dnssec ? 0x8000 : 0, 7);
  return out;
}
