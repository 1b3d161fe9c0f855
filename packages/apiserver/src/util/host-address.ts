import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

/** The address of the interface of the host's default route, where others can reach it; undefined when there is no such route. */
export function hostAddress(readRoutes: () => string = () => readFileSync('/proc/net/route', 'utf8'), interfaces = networkInterfaces()): string | undefined {
  const name = defaultInterface(readRoutes);
  const addresses = (name && interfaces[name]) || [];
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
}

/** Columns of /proc/net/route: interface, destination, gateway, flags, …, metric; numbers in hexadecimal but the metric. */
function defaultInterface(readRoutes: () => string): string | undefined {
  let text: string;
  try {
    text = readRoutes();
  } catch {
    return undefined;
  }
  const routes = text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, destination, , flags, , , , mask]) => destination === '00000000' && mask === '00000000' && (Number.parseInt(flags ?? '0', 16) & 1) === 1)
    .sort(([, , , , , , one], [, , , , , , other]) => Number(one) - Number(other));
  return routes[0]?.[0];
}
