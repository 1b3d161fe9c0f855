import type { StdStream } from '../log-entry.js';
import { parseCriLine } from './cri-line.js';

/** A whole line, and how much of the file has been used up with it. */
export interface JoinedLine {
  readonly time: string;
  readonly stream: StdStream;
  readonly text: string;
  /** A restart that goes on here loses nothing and repeats nothing. */
  readonly resumeAt: number;
}

/** Beyond this a line is cut: somebody who writes without an end must not take our memory. */
const MAX_LINE = 1024 * 1024;

interface Pending {
  readonly time: string;
  /** Where its first part begins; undefined: in the file before. */
  readonly from: number | undefined;
  text: string;
}

/**
 * Makes whole lines of a CRI log's bytes: the parts of a long line are put together, by stream. A file that ends in the middle of
 * a line, or of a partial one, is gone on with when more comes.
 */
export class LineJoiner {
  #rest: Buffer = Buffer.alloc(0);
  #at: number;
  readonly #pending: Map<StdStream, Pending>;

  /** `at`: the position in the file of the first byte it will be given; `before`: the file this one goes on from. */
  constructor(at: number, before?: LineJoiner) {
    this.#at = at;
    this.#pending = new Map();
    if (before) for (const [stream, pending] of before.#pending) this.#pending.set(stream, { ...pending, from: undefined });
  }

  /** In the middle of a line whose rest may come in the next file. */
  get open(): boolean {
    return this.#pending.size > 0;
  }

  *push(chunk: Buffer): Generator<JoinedLine> {
    let buffer = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (let end = buffer.indexOf(10); end >= 0; end = buffer.indexOf(10)) {
      const from = this.#at;
      const line = buffer.toString('utf8', 0, end);
      buffer = buffer.subarray(end + 1);
      this.#at += end + 1;
      yield* this.#line(line, from);
    }
    this.#rest = buffer;
  }

  /** What is left when no more will come: parts whose end was never written. */
  *flush(): Generator<JoinedLine> {
    for (const [stream, { time, text }] of this.#pending) yield { time, stream, text, resumeAt: this.#at };
    this.#pending.clear();
  }

  *#line(line: string, from: number): Generator<JoinedLine> {
    const parsed = parseCriLine(line);
    // Rubbish, as a crash of the runtime may leave: skipped.
    if (!parsed) return;
    const { stream, time, partial, text } = parsed;
    const before = this.#pending.get(stream);
    const pending = before ?? { time, from, text: '' };
    if (pending.text.length < MAX_LINE) pending.text += text.slice(0, MAX_LINE - pending.text.length);
    if (partial) {
      this.#pending.set(stream, pending);
      return;
    }
    this.#pending.delete(stream);
    // The other stream may be in the middle of a line: it begins anew at its first part.
    const open = [...this.#pending.values()].flatMap((p) => p.from ?? []);
    yield { time: pending.time, stream, text: pending.text, resumeAt: Math.min(this.#at, ...open) };
  }
}
