import type { LogEntry, StdStream } from '../log-entry.js';

/** An entry as `podlogs/search` answers it, one a line. */
export interface WireEntry {
  readonly time: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly stream: StdStream;
  readonly node: string;
  readonly text: string;
}

export function wireEntry({ source, time, stream, text }: LogEntry, node: string): WireEntry {
  return { time, namespace: source.namespace, pod: source.pod, container: source.container, stream, node, text };
}
