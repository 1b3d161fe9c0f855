import { chmod, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { prepareSocket } from '@coxswain/cri/socket';
import type { StateStore } from '@coxswain/sdk';
import type { EtcdConnections } from '../etcd-connections.js';

export interface OnDemandOptions {
  /** Not closed by the server. */
  readonly store: StateStore;
  /** Path of the socket, made with mode 0600: whoever may use it can read and write everything. */
  readonly socket: string;
}

/** As `serveEtcd` on a socket, for a store in which somebody looks now and then: gRPC is loaded with the first connection. */
export async function serveEtcdOnDemand({ store, socket }: OnDemandOptions): Promise<{ close(): Promise<void> }> {
  await prepareSocket(socket);
  let connections: Promise<EtcdConnections> | undefined;
  const open = new Set<Socket>();
  const server = createServer((connection) => {
    open.add(connection);
    connection.on('close', () => open.delete(connection));
    connection.on('error', () => {});
    connections ??= import('../etcd-connections.js').then(({ etcdConnections }) => etcdConnections(store, `unix://${socket}`));
    connections.then(
      (ready) => ready.take(connection),
      () => connection.destroy(),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // Bound within the call: it is never open to others.
    const umask = process.umask(0o177);
    try {
      server.listen(socket, resolve);
    } finally {
      process.umask(umask);
    }
  });
  await chmod(socket, 0o600);
  return {
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      (await connections?.catch(() => undefined))?.close();
      for (const connection of open) connection.destroy();
      await closed;
      await rm(socket, { force: true });
    },
  };
}
