import type { LogEntry, LogSource, StdStream } from '../log-entry.js';

/**
 * A segment is lines of JSON: `{"s":N,…}` says what source N is, `[N,TIME,0|1,TEXT,FILE,OFFSET]` is an entry of it with the
 * position in its log file up to which it was collected. Entries and positions are thus written together: a crash can lose
 * neither without the other.
 */
export interface StoredLine {
  readonly entry: LogEntry;
  /** The log file's device and inode. */
  readonly file: string;
  readonly resumeAt: number;
}

const STREAMS: readonly StdStream[] = ['stdout', 'stderr'];

/** Writes lines, each source once. */
export class SegmentEncoder {
  readonly #sources = new Map<string, number>();

  encode({ entry, file, resumeAt }: StoredLine): string {
    const { source, time, stream, text } = entry;
    const key = JSON.stringify(source);
    let out = '';
    let id = this.#sources.get(key);
    if (id === undefined) {
      id = this.#sources.size;
      this.#sources.set(key, id);
      out = `${JSON.stringify({ s: id, ...source })}\n`;
    }
    return `${out}${JSON.stringify([id, time, STREAMS.indexOf(stream), text, file, resumeAt])}\n`;
  }
}

/** Reads what an encoder wrote. A last line that a crash has cut is left out. */
export function* decodeSegment(text: string): Generator<StoredLine> {
  const sources = new Map<number, LogSource>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      continue;
    }
    if (!Array.isArray(value)) {
      const { s, ...source } = value as { s: number } & LogSource;
      sources.set(s, source);
      continue;
    }
    const [id, time, stream, body, file, resumeAt] = value as [number, string, number, string, string, number];
    const source = sources.get(id);
    if (source) yield { entry: { source, time, stream: STREAMS[stream] ?? 'stdout', text: body }, file, resumeAt };
  }
}
