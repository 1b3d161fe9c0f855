import type { Reading } from './reading';

/** What went over an edge between two readings. */
export interface Flow {
  readonly calls: number;
  readonly events: number;
}

/** Differences of counters. A counter that fell belongs to a component that started anew: all of it is new. */
export function flowsBetween(before: Reading, now: Reading): Map<string, Flow> {
  const grown = (map: 'calls' | 'events', id: string): number => {
    const [a, b] = [before[map].get(id), now[map].get(id)];
    // What was not known before may have any age: nothing is said of it.
    if (a === undefined || b === undefined) return 0;
    return b >= a ? b - a : b;
  };
  const ids = new Set([...now.calls.keys(), ...now.events.keys()]);
  return new Map([...ids].map((id) => [id, { calls: grown('calls', id), events: grown('events', id) }]));
}

/** Dots for so many calls: one each while they can be told apart, else the same number of dots, each for more. */
export function dotsFor(calls: number, most = 12): { readonly dots: number; readonly each: number } {
  if (calls <= most) return { dots: calls, each: 1 };
  return { dots: most, each: calls / most };
}
