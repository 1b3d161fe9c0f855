import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

/** TCP ports of loopback that nobody listens on now, all different, by name: for programs that cannot be told to choose one themselves. */
export async function freePorts<const Name extends string>(...names: readonly Name[]): Promise<Record<Name, number>> {
  const servers = names.map(() => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server, i) => [names[i] as Name, (server.address() as AddressInfo).port] as const);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return Object.fromEntries(ports) as Record<Name, number>;
}

/** One such port. */
export async function freePort(): Promise<number> {
  return (await freePorts('port')).port;
}
