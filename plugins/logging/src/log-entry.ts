/** Where a line comes from: one container's stretch of life in one pod. */
export interface LogSource {
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
  readonly container: string;
  /** The pod's labels when the line was collected. */
  readonly labels: Readonly<Record<string, string>>;
}

export type StdStream = 'stdout' | 'stderr';

/** One whole line that a container wrote. */
export interface LogEntry {
  readonly source: LogSource;
  /** RFC 3339 with nanoseconds, as the runtime wrote it. */
  readonly time: string;
  readonly stream: StdStream;
  readonly text: string;
}
