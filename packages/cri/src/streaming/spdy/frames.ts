/** SPDY/3 control frame types (section 2.6). */
export const FrameType = { synStream: 1, synReply: 2, rstStream: 3, settings: 4, ping: 6, goAway: 7, headers: 8, windowUpdate: 9 } as const;

export const FLAG_FIN = 0x01;
export const FLAG_UNIDIRECTIONAL = 0x02;

export const RstStatus = { protocolError: 1, invalidStream: 2, refusedStream: 3, cancel: 5, internalError: 6 } as const;

/** The largest length a frame header can carry. */
export const MAX_FRAME_BYTES = 0xffffff;

export function controlFrame(type: number, flags: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(0x8003, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt32BE(((flags << 24) | payload.length) >>> 0, 4);
  return Buffer.concat([head, payload]);
}

export function dataFrameHeader(streamId: number, flags: number, length: number): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(streamId, 0);
  head.writeUInt32BE(((flags << 24) | length) >>> 0, 4);
  return head;
}

export function uint32s(...values: number[]): Buffer {
  const out = Buffer.alloc(values.length * 4);
  for (const [i, v] of values.entries()) out.writeUInt32BE(v >>> 0, i * 4);
  return out;
}

export type Frame =
  | { readonly kind: 'data'; readonly streamId: number; readonly fin: boolean; readonly data: Buffer }
  | { readonly kind: 'control'; readonly type: number; readonly flags: number; readonly payload: Buffer };

/** Cuts a byte stream into frames; holds at most one frame's worth of bytes. */
export class FrameReader {
  #pending: Buffer[] = [];
  #size = 0;

  *push(chunk: Buffer): Generator<Frame> {
    this.#pending.push(chunk);
    this.#size += chunk.length;
    while (this.#size >= 8) {
      const head = this.#peek(8);
      const length = head.readUInt32BE(4) & MAX_FRAME_BYTES;
      if (this.#size < 8 + length) return;
      const frame = this.#take(8 + length);
      const flags = frame[4] as number;
      const body = frame.subarray(8);
      if (((frame[0] as number) & 0x80) === 0) yield { kind: 'data', streamId: frame.readUInt32BE(0), fin: (flags & FLAG_FIN) !== 0, data: body };
      else yield { kind: 'control', type: frame.readUInt16BE(2), flags, payload: body };
    }
  }

  #peek(n: number): Buffer {
    const first = this.#pending[0] as Buffer;
    if (first.length < n) this.#pending = [Buffer.concat(this.#pending)];
    return this.#pending[0] as Buffer;
  }

  #take(n: number): Buffer {
    let all = this.#pending[0] as Buffer;
    if (all.length < n) all = Buffer.concat(this.#pending);
    const rest = all === this.#pending[0] ? [all.subarray(n), ...this.#pending.slice(1)] : [all.subarray(n)];
    this.#pending = rest.filter((b) => b.length > 0);
    this.#size -= n;
    return all.subarray(0, n);
  }
}
