import type { LogEntry } from '../log-entry.js';
import type { LogStore } from '../store/log-store.js';
import type { LogQuery } from './log-query.js';

/** Of these, those asked for. */
export function select(query: LogQuery, entries: readonly LogEntry[]): LogEntry[] {
  const chosen = entries.filter(query.selects);
  if (chosen.length === 0) return chosen;
  const matches = query.matches(chosen.map(({ text }) => text));
  return chosen.filter((_, i) => matches[i]);
}

/** The newest entries that match, in order of time. */
export async function search(store: LogStore, query: LogQuery, signal: AbortSignal): Promise<LogEntry[]> {
  let found: LogEntry[] = [];
  for await (const batch of store.read(query.from, query.to)) {
    signal.throwIfAborted();
    found.push(...select(query, batch));
    // Not more in memory than is asked for; batches overlap in time, so twice as many are kept until the end.
    if (found.length > 2 * query.limit + 10_000) found = newest(found, 2 * query.limit);
  }
  return newest(found, query.limit);
}

export function newest<T extends { readonly time: string }>(entries: T[], limit: number): T[] {
  // Nanoseconds count, so that times are compared as text; they may be of different lengths and offsets.
  const keyed = entries.map((entry) => ({ entry, at: Date.parse(entry.time) }));
  keyed.sort((a, b) => a.at - b.at || (a.entry.time < b.entry.time ? -1 : a.entry.time > b.entry.time ? 1 : 0));
  return keyed.slice(-limit).map(({ entry }) => entry);
}
