import { expect, it } from 'vitest';
import { parseNetDev } from './net-dev.js';

it('counts what went through interfaces, without loopback', () => {
  const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0
  eth0:    1500      10    1    2    0     0          0         0      900       8    3    4    0     0       0          0
`;
  expect(parseNetDev(text)).toEqual([
    { name: 'eth0', received: { bytes: 1500, packets: 10, errors: 1, dropped: 2 }, sent: { bytes: 900, packets: 8, errors: 3, dropped: 4 } },
  ]);
  expect(parseNetDev('')).toEqual([]);
});
