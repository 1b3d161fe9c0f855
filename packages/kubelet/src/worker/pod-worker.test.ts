import type { PodStatus } from '@coxswain/api';
import { silentLogger } from '@coxswain/sdk';
import { FakeClock, settle } from '@coxswain/sdk-testing';
import { expect, it } from 'vitest';
import { containerHash } from '../pod/container-hash.js';
import { emptyObservedPod, type ObservedPod } from '../pod/observed.js';
import { PodWorker, type PodWorkerDeps } from './pod-worker.js';

const pod = { metadata: { uid: 'u', name: 'web', namespace: 'shop' }, spec: { containers: [{ name: 'c', image: 'i' }] } };
const running = {
  ...emptyObservedPod('u', 'web', 'shop'),
  sandboxes: [{ id: 's', attempt: 0, ready: true, createdAt: 1, ips: ['10.0.0.2'], hostNetwork: false, runtimeHandler: '' }],
  containers: [
    {
      id: 'c1',
      name: 'c',
      sandboxId: 's',
      phase: 'running',
      createdAt: 1,
      startedAt: 1,
      finishedAt: 0,
      exitCode: 0,
      restartCount: 0,
      hash: containerHash({ name: 'c', image: 'i' }),
    },
  ],
} as unknown as ObservedPod;

/** A worker for a pod that runs and to which nothing happens; `looked` counts its looks at it. */
function idle(random: number) {
  const clock = new FakeClock();
  let looked = 0;
  let last: PodStatus | undefined;
  const deps = {
    clock,
    random: { next: () => random },
    logger: silentLogger,
    cache: { get: () => running },
    runtime: { podIP: () => '10.0.0.2' },
    volumes: { setup: async () => void looked++ },
    probes: { sync: () => {}, readiness: () => true, started: () => true, liveness: () => 'success', startup: () => 'success' },
    status: { get: () => undefined, set: (_pod: unknown, status: PodStatus) => void (last = status) },
    resourceOptions: { cfsQuota: true },
    admit: () => undefined,
    blocked: () => false,
    hostIPs: () => [],
    runtimeName: () => 'fake',
  } as unknown as PodWorkerDeps;
  const worker = new PodWorker('u', deps, { containerBackoff: { initialMs: 1000, maxMs: 1000 }, retryMs: 1000, resyncMs: 60_000 });
  return { clock, worker, looked: () => looked, deps: deps as unknown as Record<string, unknown>, last: () => last };
}

it.each([
  [0, 60_000],
  [0.5, 75_000],
])('looks at a pod to which nothing happens after syncFrequency and up to half as much more (%d)', async (random, ms) => {
  const { clock, worker, looked } = idle(random);
  worker.update(pod as never);
  await settle();
  const before = looked();
  expect(before).toBeGreaterThan(0);
  await clock.advance(ms - 1);
  await settle();
  expect(looked()).toBe(before);
  await clock.advance(1);
  await settle();
  expect(looked()).toBe(before + 1);
  await clock.advance(ms);
  await settle();
  expect(looked()).toBe(before + 2);
  await worker.close();
  await clock.advance(10 * ms);
  await settle();
  expect(looked()).toBe(before + 2);
});

it("a pod's own resources are told as they are in force, and follow when the node has room", async () => {
  const { worker, deps, last } = idle(0);
  let room = true;
  deps.resizePending = () => (room ? undefined : { reason: 'Deferred', message: 'later' });
  deps.pleg = { observeContainer: async () => {} };
  deps.events = { pod: () => {} };
  const asking = (cpu: string, status?: object) => ({ ...pod, spec: { ...pod.spec, resources: { requests: { cpu } } }, ...(status ? { status } : {}) });
  const told = () => [last()?.allocatedResources, last()?.resources, last()?.conditions?.find(({ type }) => type === 'PodResizePending')?.reason];
  worker.update(asking('1') as never);
  await settle();
  expect(told()).toEqual([{ cpu: '1' }, { requests: { cpu: '1' } }, undefined]);
  room = false;
  worker.update(asking('2') as never);
  await settle();
  expect(told()).toEqual([{ cpu: '1' }, { requests: { cpu: '1' } }, 'Deferred']);
  room = true;
  worker.wake();
  await settle();
  expect(told()).toEqual([{ cpu: '2' }, { requests: { cpu: '2' } }, undefined]);
  await worker.close();
});
