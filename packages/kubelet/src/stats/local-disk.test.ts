import type { Pod } from '@coxswain/api';
import { FakeClock } from '@coxswain/sdk-testing';
import { expect, it } from 'vitest';
import { LocalDisk } from './local-disk.js';

const TIME = '2026-01-01T00:00:00.000Z';
const node = { time: TIME, availableBytes: 600, capacityBytes: 1000, usedBytes: 400, inodesFree: 5, inodes: 9, inodesUsed: 4 };

it('logs, volumes and what goes with the pod are measured, once a minute', async () => {
  const clock = new FakeClock();
  const looked: string[] = [];
  const disk = new LocalDisk({
    paths: { podLogs: ({ name }) => `/logs/${name}` },
    clock,
    usage: async (folder) => (looked.push(folder), { bytes: folder.length, inodes: 1 }),
    disk: async () => ({ totalBytes: 100, availableBytes: 60, usedBytes: 40, totalInodes: 10, freeInodes: 3 }),
  });
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', uid: 'u' },
    spec: {
      containers: [],
      volumes: [
        { name: 'tmp', emptyDir: {} },
        { name: 'ram', emptyDir: { medium: 'Memory' } },
        { name: 'token', projected: { sources: [] } },
        { name: 'host', hostPath: { path: '/' } },
        { name: 'late', emptyDir: {} },
      ],
    },
  };
  const mounted = ['tmp', 'ram', 'token', 'host'].map((name) => ({ name, path: `/v/${name}` }));
  const containers = [{ name: 'c', startTime: TIME, rootfs: { time: TIME, usedBytes: 1000, inodesUsed: 7 } }];
  const found = await disk.pod(pod, containers, mounted, node);
  const volume = { time: TIME, availableBytes: 60, capacityBytes: 100, inodesFree: 3, inodes: 10, inodesUsed: 1 };
  expect(found.volumes).toEqual([
    { ...volume, name: 'tmp', usedBytes: 6 },
    { ...volume, name: 'ram', usedBytes: 6 },
    { ...volume, name: 'token', usedBytes: 8 },
  ]);
  expect(found.logs.get('c')).toEqual({ ...node, usedBytes: '/logs/web/c'.length, inodesUsed: 1 });
  expect(found.ephemeral).toEqual({ ...node, usedBytes: 1000 + '/logs/web/c'.length + 6, inodesUsed: 9 });
  const before = looked.length;
  await disk.pod(pod, containers, mounted, node);
  expect(looked.length).toBe(before);
  await clock.advance(60_000);
  await disk.pod(pod, containers, mounted, node);
  expect(looked.length).toBe(before * 2);
});
