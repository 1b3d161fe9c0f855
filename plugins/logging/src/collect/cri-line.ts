import type { StdStream } from '../log-entry.js';

export interface CriLine {
  /** RFC 3339, in UTC. */
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
  return { time: inUtc(time), stream, partial: tag === 'P', text: third < 0 ? '' : line.slice(third + 1) };
}

/** Some write the machine's offset (conmon does, also `+00:00`). The fraction stays as fine as it is. */
function inUtc(time: string): string {
  if (time.endsWith('Z')) return time;
  return `${new Date(Date.parse(time)).toISOString().slice(0, 19)}${/\.\d+/.exec(time)?.[0] ?? ''}Z`;
}
