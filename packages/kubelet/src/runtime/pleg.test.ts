import { CriError, type RuntimeServiceClient } from '@coxswain/cri';
import { type Logger, silentLogger } from '@coxswain/sdk';
import { FakeClock } from '@coxswain/sdk-testing';
import { expect, it } from 'vitest';
import { PodCache } from '../pod/pod-cache.js';
import { Pleg } from './pleg.js';

it('a list that fails is told, once, but not once the kubelet stops', async () => {
  const said: unknown[] = [];
  const logger: Logger = { ...silentLogger, warn: (message: string) => void said.push(message) };
  const fail = () => Promise.reject(new CriError('unavailable', 'no runtime'));
  const runtime = { listPodSandbox: fail, listContainers: fail } as unknown as RuntimeServiceClient;
  const pleg = new Pleg({ runtime, cache: new PodCache(), clock: new FakeClock(), logger, changed: () => {} }, { relistMs: 1, relistWithEventsMs: 1 });
  await pleg.tryRelist(new AbortController().signal);
  await pleg.tryRelist(new AbortController().signal);
  expect(said).toEqual(['listing containers failed']);
  await pleg.tryRelist(AbortSignal.abort());
  expect(said).toHaveLength(1);
  expect(pleg.healthy()).toBe(false);
});
