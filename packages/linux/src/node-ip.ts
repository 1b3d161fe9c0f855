import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

/** The address of the interface the default route leaves by; else the first that is not loopback. */
export function detectNodeIP(): string | undefined {
  const interfaces = networkInterfaces();
  const onlyV4 = (name: string) => interfaces[name]?.find((a) => a.family === 'IPv4' && !a.internal)?.address;
  const routed = defaultRouteInterface(readFileSync('/proc/net/route', 'utf8'));
  const preferred = routed === undefined ? undefined : onlyV4(routed);
  if (preferred !== undefined) return preferred;
  for (const name of Object.keys(interfaces)) {
    // Our own bridges come and go with the clusters.
    const address = /^cox\d/.test(name) ? undefined : onlyV4(name);
    if (address !== undefined) return address;
  }
  return undefined;
}

/** From the text of /proc/net/route: the interface of the route to 0.0.0.0 with the lowest metric. Pure. */
export function defaultRouteInterface(text: string): string | undefined {
  return text
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, destination, , , , , , mask]) => destination === '00000000' && mask === '00000000')
    .sort((a, b) => Number(a[6]) - Number(b[6]))[0]?.[0];
}
