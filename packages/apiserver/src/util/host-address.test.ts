import { expect, it } from 'vitest';
import { hostAddress } from './host-address.js';

const HEAD = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n';
const routes =
  (...lines: string[]) =>
  () =>
    HEAD + lines.join('\n');
const address = (text: string, family: 'IPv4' | 'IPv6') => ({ address: text, family, internal: false, netmask: '', mac: '', cidr: null, scopeid: 0 }) as never;
const interfaces = { eth0: [address('fe80::1', 'IPv6'), address('192.0.2.1', 'IPv4')], eth1: [address('198.51.100.1', 'IPv4')] };

it('is that of the default route with the lowest metric', () => {
  const eth1 = 'eth1\t00000000\t016433C6\t0003\t0\t0\t200\t00000000\t0\t0\t0';
  const eth0 = 'eth0\t00000000\t010200C0\t0003\t0\t0\t100\t00000000\t0\t0\t0';
  const local = 'eth1\t006433C6\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0';
  expect(hostAddress(routes(local, eth1, eth0), interfaces)).toBe('192.0.2.1');
  expect(hostAddress(routes(local, eth1), interfaces)).toBe('198.51.100.1');
  expect(hostAddress(routes(local), interfaces)).toBeUndefined();
});

it('is none where the system does not tell', () => {
  const missing = () => {
    throw new Error('ENOENT');
  };
  expect(hostAddress(missing, interfaces)).toBeUndefined();
});
