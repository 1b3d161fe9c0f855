import { expect, test } from 'vitest';
import { defaultRouteInterface } from './node-ip.js';

test('the default route with the lowest metric wins', () => {
  const header = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT';
  const row = (iface: string, destination: string, metric: number, mask: string) =>
    `${iface}\t${destination}\t0100A8C0\t0003\t0\t0\t${metric}\t${mask}\t0\t0\t0`;
  expect(
    defaultRouteInterface(
      [header, row('wlan0', '00000000', 600, '00000000'), row('eth0', '00000000', 100, '00000000'), row('eth1', '0000A8C0', 0, '00FFFFFF')].join('\n'),
    ),
  ).toBe('eth0');
  expect(defaultRouteInterface(header)).toBeUndefined();
});
