import { networkInterfaces } from 'node:os';

/** The machine's own addresses, IPv4 first; loopback when there is nothing else. */
export function detectNodeIPs(): string[] {
  const all = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((a) => !a.internal && !a.address.startsWith('fe80'));
  const ordered = [...all.filter((a) => a.family === 'IPv4'), ...all.filter((a) => a.family === 'IPv6')].map((a) => a.address);
  return ordered.length > 0 ? ordered.slice(0, 1) : ['127.0.0.1'];
}
