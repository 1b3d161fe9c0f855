import { getHeapSnapshot } from 'node:v8';
import type { Readable } from 'node:stream';

const ROOT = '/debug/pprof';
const DEFAULT_SECONDS = 30;
const TEXT = 'text/plain; charset=utf-8';

/** What there is, by upstream's names, and what it is of V8. The rest of upstream's is about Go's scheduler and locks. */
const PROFILES: Readonly<Record<string, string>> = {
  allocs: 'what was allocated during ?seconds (default 30), sampled: a .heapprofile',
  cmdline: 'the command line of this process',
  heap: 'everything in memory now: a .heapsnapshot. The process stands still while it is taken',
  profile: 'where CPU time went during ?seconds (default 30): a .cpuprofile',
};

export interface ProfileAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Readable;
  /** For `Content-Disposition`. */
  readonly file?: string;
}

let busy = false;

/**
 * Answers `/debug/pprof/…` with profiles of this process, for Chrome's DevTools, VS Code or speedscope; undefined for other paths. Ends with
 * the profile so far when `signal` aborts. One CPU or allocation profile at a time, as upstream.
 */
export async function profileAnswer(path: string, query: URLSearchParams, signal: AbortSignal): Promise<ProfileAnswer | undefined> {
  if (path !== ROOT && !path.startsWith(`${ROOT}/`)) return undefined;
  const name = path.slice(ROOT.length + 1);
  switch (name) {
    case '':
      return {
        status: 200,
        contentType: TEXT,
        body: `${ROOT}/\n\n${Object.entries(PROFILES)
          .map(([each, what]) => `${each}: ${what}\n`)
          .join('')}`,
      };
    case 'cmdline':
      return { status: 200, contentType: TEXT, body: process.argv.join('\0') };
    case 'heap':
      return { status: 200, contentType: 'application/json', body: getHeapSnapshot(), file: 'heap.heapsnapshot' };
    case 'profile':
      return sampled('cpu', 'profile.cpuprofile', secondsOf(query), signal);
    case 'allocs':
      return sampled('allocations', 'allocs.heapprofile', secondsOf(query), signal);
    default:
      return { status: 404, contentType: TEXT, body: `Unknown profile ${JSON.stringify(name)}: there are ${Object.keys(PROFILES).join(', ')}\n` };
  }
}

function secondsOf(query: URLSearchParams): number {
  const seconds = Number(query.get('seconds') ?? '');
  return Number.isFinite(seconds) && seconds > 0 ? seconds : DEFAULT_SECONDS;
}

async function sampled(of: 'cpu' | 'allocations', file: string, seconds: number, signal: AbortSignal): Promise<ProfileAnswer> {
  // Loaded when it is wanted: it takes milliseconds of every component's start.
  const { Session } = await import('node:inspector/promises');
  if (busy) return { status: 500, contentType: TEXT, body: `Could not enable ${of === 'cpu' ? 'CPU' : 'allocation'} profiling: profiling is already in use\n` };
  busy = true;
  const session = new Session();
  try {
    session.connect();
    if (of === 'cpu') {
      await session.post('Profiler.enable');
      await session.post('Profiler.start');
      await pause(seconds, signal);
      const { profile } = await session.post('Profiler.stop');
      return { status: 200, contentType: 'application/json', body: JSON.stringify(profile), file };
    }
    await session.post('HeapProfiler.startSampling');
    await pause(seconds, signal);
    const { profile } = await session.post('HeapProfiler.stopSampling');
    return { status: 200, contentType: 'application/json', body: JSON.stringify(profile), file };
  } finally {
    session.disconnect();
    busy = false;
  }
}

/** Of real time, whatever the component takes for time: it is this process that is looked at. */
function pause(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, seconds * 1000);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}
