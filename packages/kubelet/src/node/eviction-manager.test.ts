import type { Pod } from '@coxswain/api';
import { silentLogger } from '@coxswain/sdk';
import { FakeClock } from '@coxswain/sdk-testing';
import { beforeEach, expect, it } from 'vitest';
import { type KubeletConfig, kubeletOptions } from '../options.js';
import type { SignalReadings } from './eviction.js';
import { EvictionManager } from './eviction-manager.js';

const Mi = 1024 * 1024;
const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'hog', uid: 'hog' },
  spec: { containers: [{ name: 'c' }], terminationGracePeriodSeconds: 30 },
} as Pod;
let clock: FakeClock;
let available: number;
let evicted: { uid: string; grace: number }[];

beforeEach(() => {
  clock = new FakeClock();
  available = 1000 * Mi;
  evicted = [];
});

const manager = (config: KubeletConfig) =>
  new EvictionManager(
    {
      clock,
      logger: silentLogger,
      events: { pod: () => {}, node: () => {} },
      usage: async () => [{ pod, usage: 800 * Mi }],
      reclaimDisk: async () => {},
      evict: (uid, _verdict, grace) => void evicted.push({ uid, grace }),
      pressureChanged: () => {},
      overLocalLimits: async () => [],
      read: async (): Promise<SignalReadings> => ({ 'memory.available': { available, capacity: 2000 * Mi } }),
    },
    kubeletOptions({ evictionHard: { 'memory.available': '100Mi' }, ...config }),
  );

it('a soft threshold counts once it was crossed for its grace period without a break', async () => {
  const m = manager({
    evictionSoft: { 'memory.available': '25%' },
    evictionSoftGracePeriodMs: { 'memory.available': 60_000 },
    evictionMaxPodGracePeriodSeconds: 10,
  });
  available = 400 * Mi;
  await m.check();
  await clock.advance(50_000);
  available = 600 * Mi;
  await m.check();
  available = 400 * Mi;
  await m.check();
  await clock.advance(50_000);
  await m.check();
  expect(evicted).toEqual([]);
  expect(m.pressure.memory).toBe(false);
  await clock.advance(10_000);
  await m.check();
  expect(evicted).toEqual([{ uid: 'hog', grace: 10 }]);
  expect(m.pressure.memory).toBe(true);
});

it('a negative most grace lets pods have their own', async () => {
  const m = manager({
    evictionSoft: { 'memory.available': '500Mi' },
    evictionSoftGracePeriodMs: { 'memory.available': 0 },
    evictionMaxPodGracePeriodSeconds: -1,
  });
  available = 400 * Mi;
  await m.check();
  expect(evicted).toEqual([{ uid: 'hog', grace: 30 }]);
});

it('a hard threshold gives no time, also when a soft one is crossed', async () => {
  const m = manager({
    evictionSoft: { 'memory.available': '500Mi' },
    evictionSoftGracePeriodMs: { 'memory.available': 0 },
    evictionMaxPodGracePeriodSeconds: 10,
  });
  available = 50 * Mi;
  await m.check();
  expect(evicted).toEqual([{ uid: 'hog', grace: 0 }]);
});

it('once a threshold was crossed it is reclaimed beyond it, by the minimum', async () => {
  const m = manager({ evictionMinimumReclaim: { 'memory.available': '200Mi' } });
  available = 250 * Mi;
  await m.check();
  expect(evicted).toHaveLength(0);
  available = 50 * Mi;
  await m.check();
  available = 250 * Mi;
  await m.check();
  expect(evicted).toHaveLength(2);
  available = 350 * Mi;
  await m.check();
  available = 250 * Mi;
  await m.check();
  expect(evicted).toHaveLength(2);
});
