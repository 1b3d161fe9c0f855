import { expect, it } from 'vitest';
import { nodeExtras, nodeNetwork, nodeSwap } from './node-extras.js';

const TIME = '2026-01-01T00:00:00.000Z';
const counters = (bytes: number) => ({ bytes, packets: 0, errors: 1, dropped: 0 });
const network = (name: string) => ({ name, received: counters(5), sent: counters(6) });

it("the node's network is that of its own interfaces, not of links into containers", () => {
  const stats = { rxBytes: 5, rxErrors: 1, txBytes: 6, txErrors: 1 };
  expect(nodeNetwork(['cox0', 'veth1', 'eth0'].map(network), TIME)).toEqual({
    time: TIME,
    name: 'eth0',
    ...stats,
    interfaces: [
      { name: 'cox0', ...stats },
      { name: 'eth0', ...stats },
    ],
  });
  expect(nodeNetwork([network('veth1')], TIME)).toBeUndefined();
});

it('swap is what is in use and what is free', () => {
  const memory = { totalBytes: 9, availableBytes: 8, freeBytes: 7, swapTotalBytes: 5, swapFreeBytes: 2 };
  expect(nodeSwap(memory, TIME)).toEqual({ time: TIME, swapAvailableBytes: 2, swapUsageBytes: 3 });
});

it('the stores of the runtime are told with how full their disk is, and left out when it does not say', async () => {
  const filesystem = { fsId: { mountpoint: '/' }, usedBytes: { value: 77n }, inodesUsed: { value: 3n }, timestamp: 0n };
  const image = { imageFsInfo: async () => ({ imageFilesystems: [filesystem], containerFilesystems: [] }) };
  const { runtime, rlimit } = await nodeExtras(image as never, TIME);
  expect(runtime?.imageFs).toMatchObject({ usedBytes: 77, inodesUsed: 3, capacityBytes: expect.any(Number) });
  expect(runtime?.containerFs).toBeUndefined();
  expect(rlimit?.curproc).toBeGreaterThan(0);
  const silent = { imageFsInfo: () => Promise.reject(new Error('no')) };
  expect((await nodeExtras(silent, TIME)).runtime).toBeUndefined();
});
