import type { Clock } from '@coxswain/sdk';
import { beforeEach, expect, test } from 'vitest';
import type { CacheEvent } from './resource-cache.js';
import { StoredObject } from './stored-object.js';
import { rawFraming, WatchGroups } from './watch-groups.js';
import type { Subscription, WatchEncoder } from './watch-groups.js';

const encoder: WatchEncoder = {
  id: 'test',
  encode: (_type, object) => Buffer.from(`${object.name};`),
  bookmark: (revision) => Buffer.from(`bookmark ${revision};`),
  error: () => Buffer.from('error;'),
};
const all = { id: '*', scope: { type: 'all' } } as const;

class Watcher implements Subscription {
  readonly bookmarks = true;
  readonly writes: string[] = [];
  readonly sink = {
    framing: rawFraming,
    write: (payload: unknown) => {
      this.writes.push(String(payload));
      return true;
    },
    end: () => {
      this.writes.push('end');
    },
  };
}

let now: number;
let timers: { readonly at: number; readonly fn: () => void }[];
let groups: WatchGroups;
beforeEach(() => {
  now = 0;
  timers = [];
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    setTimeout(fn, ms) {
      const timer = { at: now + ms, fn };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    sleep: () => Promise.reject(new Error('nobody sleeps here')),
  };
  groups = new WatchGroups(clock);
});

function advance(ms: number): void {
  now += ms;
  for (const timer of timers.filter(({ at }) => at <= now)) {
    timers.splice(timers.indexOf(timer), 1);
    timer.fn();
  }
}

function watchers(n: number): Watcher[] {
  return Array.from({ length: n }, () => {
    const watcher = new Watcher();
    groups.subscribe(all, encoder, watcher);
    return watcher;
  });
}

function happens(name: string): void {
  const object = StoredObject.foreign({ apiVersion: 'v1', kind: 'X', metadata: { name, resourceVersion: '1' } });
  const event: CacheEvent = { type: 'ADDED', revision: 1, object, previous: undefined, frames: new Map() };
  groups.dispatch(event);
  groups.flush();
}

test('few watchers hear of each event at once', () => {
  const [one] = watchers(5) as [Watcher];
  for (const name of ['a', 'b']) happens(name);
  expect(one.writes).toEqual(['a;', 'b;']);
});

test('many hear of the first at once, and a little later of those that follow, together', () => {
  const told = watchers(50);
  for (const name of ['a', 'b', 'c']) happens(name);
  expect(told[0]?.writes).toEqual(['a;']);
  advance(5);
  for (const { writes } of told) expect(writes).toEqual(['a;', 'b;c;']);
  advance(100);
  happens('d');
  expect(told[49]?.writes).toEqual(['a;', 'b;c;', 'd;']);
});

test('who comes meanwhile does not hear of what it has seen; bookmarks and the end overtake nothing', () => {
  const [old] = watchers(50) as [Watcher];
  happens('a');
  happens('b');
  const [late] = watchers(1) as [Watcher];
  happens('c');
  for (let second = 0; second < 60; second++) groups.tick(second, 7);
  happens('d');
  groups.end();
  expect(old.writes).toEqual(['a;', 'b;', 'c;', 'bookmark 7;', 'd;', 'end']);
  expect(late.writes).toEqual(['c;', 'bookmark 7;', 'd;', 'end']);
});
