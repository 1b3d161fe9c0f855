import type { FlagReader, FlagTable } from './flag-reader.js';

/** How many requests at a time, and how long one may take. */
export interface RequestConfig {
  readonly maxRequestsInFlight: number;
  readonly maxMutatingRequestsInFlight: number;
  readonly priorityAndFairness: boolean;
  readonly requestTimeoutMs: number;
  /** Profiles of the process below /debug/pprof/. */
  readonly profiling: boolean;
  /** Watches end after this long, or up to twice as long. */
  readonly minRequestTimeoutSeconds: number;
  readonly tracingConfigFile: string | undefined;
}

export const requestFlags: FlagTable = {
  'enable-priority-and-fairness': 'Share out requests among flows by priority (default true)',
  'max-mutating-requests-inflight': 'Limit of changing requests at a time (default 200; 0: none)',
  'max-requests-inflight': 'Limit of reading requests at a time (default 400; 0: none)',
  'min-request-timeout': 'Seconds after which, or up to twice as many, a watch is ended (default 1800)',
  profiling: 'Serve profiles of this process at /debug/pprof/: profile, allocs, heap (default true)',
  'request-timeout': 'After which a request is given up (default 1m0s)',
  'tracing-config-file': 'TracingConfiguration file: which requests are told to an OpenTelemetry collector',
};

export function parseRequestFlags(reader: FlagReader): RequestConfig {
  return {
    maxRequestsInFlight: reader.number('max-requests-inflight', 400, 0, 1_000_000),
    maxMutatingRequestsInFlight: reader.number('max-mutating-requests-inflight', 200, 0, 1_000_000),
    priorityAndFairness: reader.boolean('enable-priority-and-fairness', true),
    profiling: reader.boolean('profiling', true),
    requestTimeoutMs: reader.duration('request-timeout', 60_000),
    tracingConfigFile: reader.text('tracing-config-file'),
    minRequestTimeoutSeconds: reader.number('min-request-timeout', 1800, 0, 2 ** 31 - 1),
  };
}
