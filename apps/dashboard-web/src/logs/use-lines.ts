import { useEffect, useState } from 'react';
import { isBroken, sleep } from '../api/request';
import type { LogLine } from './log-view';

const KEEP = 20_000;
const SHOW_EVERY_MS = 100;
const TRIES = 3;

export interface Lines {
  readonly lines: readonly LogLine[];
  readonly done: boolean;
  readonly error: Error | undefined;
}

/**
 * Collects what `open` yields; the oldest make room beyond some twenty thousand. A connection that breaks is opened anew, from the
 * beginning. `open` undefined: nothing is read.
 */
export function useLines(open: ((signal: AbortSignal) => AsyncIterable<readonly Omit<LogLine, 'id'>[]>) | undefined): Lines {
  const [state, setState] = useState<Lines>({ lines: [], done: false, error: undefined });
  useEffect(() => {
    setState({ lines: [], done: false, error: undefined });
    if (!open) return;
    const end = new AbortController();
    let next = 0;
    let kept: LogLine[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = (done: boolean, error?: Error) => {
      clearTimeout(timer);
      timer = undefined;
      if (!end.signal.aborted) setState({ lines: kept, done, error });
    };
    void (async () => {
      for (let attempt = 1; ; attempt++) {
        try {
          kept = [];
          for await (const batch of open(end.signal)) {
            attempt = 1;
            kept = [...kept, ...batch.map((line) => ({ ...line, id: next++ }))].slice(-KEEP);
            timer ??= setTimeout(() => show(false), SHOW_EVERY_MS);
          }
          return show(true);
        } catch (error) {
          if (end.signal.aborted || !isBroken(error) || attempt === TRIES) return show(true, error as Error);
          await sleep(300 * attempt, end.signal);
        }
      }
    })();
    return () => {
      clearTimeout(timer);
      end.abort();
    };
  }, [open]);
  return state;
}
