import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** A piece of a container's or a command's output. */
export interface Frame {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Buffer;
}

const HEADER_BYTES = 8;
const STDERR = 2;

/**
 * Output of several streams on one connection: each piece has a header of eight bytes, the stream's number first, its length (big endian)
 * last. The pieces that have come whole, as they come.
 */
export async function* frames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Frame[], void, void> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const part of source) {
    const chunk = Buffer.from(part.buffer, part.byteOffset, part.byteLength);
    let data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole: Frame[] = [];
    while (data.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + data.readUInt32BE(4);
      if (data.length < end) break;
      whole.push({ stream: data[0] === STDERR ? 'stderr' : 'stdout', bytes: data.subarray(HEADER_BYTES, end) });
      data = data.subarray(end);
    }
    rest = data;
    if (whole.length > 0) yield whole;
  }
}

/** A terminal has one stream, without headers. */
export async function* plainFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Frame[], void, void> {
  for await (const part of source) yield [{ stream: 'stdout', bytes: Buffer.from(part.buffer, part.byteOffset, part.byteLength) }];
}

export interface OutputSinks {
  readonly stdout?: Writable | undefined;
  readonly stderr?: Writable | undefined;
}

/** Copy output to where it belongs until it ends; a slow reader slows the process down. A sink that is gone swallows its part. */
export async function copyOutput(source: AsyncIterable<Uint8Array>, tty: boolean, sinks: OutputSinks): Promise<void> {
  for await (const some of tty ? plainFrames(source) : frames(source)) {
    for (const { stream, bytes } of some) {
      const sink = sinks[stream];
      if (!sink || sink.destroyed || sink.writableEnded) continue;
      if (!sink.write(Buffer.from(bytes))) await Promise.race([once(sink, 'drain'), once(sink, 'close')]).catch(() => {});
    }
  }
}
