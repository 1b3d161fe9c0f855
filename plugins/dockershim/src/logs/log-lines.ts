import { criLogLine, MAX_LINE_BYTES } from '@coxswain/cri-runtime';
import type { Frame } from '../engine/frames.js';

/** The engine's times have nine decimals here, whatever they are. */
const TIME_BYTES = 30;
const NEWLINE = 10;

export interface LogLine {
  /** `2006-01-02T15:04:05.000000000Z` */
  readonly time: string;
  /** In CRI's format. */
  readonly bytes: Buffer;
}

/** The engine's log as it tells it, a time before each piece, in CRI's format. A piece without a newline goes on in the next. Pure. */
export function logLine({ stream, bytes }: Frame): LogLine {
  const time = bytes.toString('latin1', 0, TIME_BYTES);
  const whole = bytes.at(-1) === NEWLINE;
  const text = bytes.subarray(TIME_BYTES + 1, whole ? -1 : undefined);
  return { time, bytes: criLogLine(time, stream, !whole, text) };
}

/** A terminal's log has no frames: lines end with a newline, and the engine cuts those that are longer than it reads at once. */
export async function* terminalFrames(source: AsyncIterable<Uint8Array>): AsyncGenerator<Frame[], void, void> {
  const longest = TIME_BYTES + 1 + MAX_LINE_BYTES;
  let rest: Buffer = Buffer.alloc(0);
  for await (const part of source) {
    let data = Buffer.concat([rest, part]);
    const whole: Frame[] = [];
    for (;;) {
      const newline = data.indexOf(NEWLINE);
      const end = newline >= 0 && newline < longest ? newline + 1 : data.length > longest ? longest : 0;
      if (end === 0) break;
      whole.push({ stream: 'stdout', bytes: data.subarray(0, end) });
      data = data.subarray(end);
    }
    rest = data;
    if (whole.length > 0) yield whole;
  }
  if (rest.length > TIME_BYTES) yield [{ stream: 'stdout', bytes: rest }];
}
