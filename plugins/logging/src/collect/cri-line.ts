import type { StdStream } from '../log-entry.js';

export interface CriLine {
  readonly time: string;
  readonly stream: StdStream;
  /** Marked `P`: the next line of the stream goes on with it. */
  readonly partial: boolean;
  readonly text: string;
}

/** A line of a CRI log: `TIME stdout|stderr P|F[:TAGS…] TEXT`. Undefined: it is none. */
export function parseCriLine(line: string): CriLine | undefined {
  const first = line.indexOf(' ');
  const second = line.indexOf(' ', first + 1);
  if (first < 0 || second < 0) return undefined;
  const third = line.indexOf(' ', second + 1);
  const time = line.slice(0, first);
  const stream = line.slice(first + 1, second);
  const tags = third < 0 ? line.slice(second + 1) : line.slice(second + 1, third);
  const tag = tags.split(':', 1)[0];
  if ((stream !== 'stdout' && stream !== 'stderr') || (tag !== 'P' && tag !== 'F') || Number.isNaN(Date.parse(time))) return undefined;
  return { time, stream, partial: tag === 'P', text: third < 0 ? '' : line.slice(third + 1) };
}
