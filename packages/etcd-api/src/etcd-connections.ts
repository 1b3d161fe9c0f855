import type { Socket } from 'node:net';
import type { StateStore } from '@coxswain/sdk';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { addEtcdServices, serverOptions } from './etcd-services.js';
import { serviceContext } from './service-context.js';

/** etcd's API over connections that somebody else accepts. */
export interface EtcdConnections {
  take(connection: Socket): void;
  close(): void;
}

export function etcdConnections(store: StateStore, endpoint: string): EtcdConnections {
  const server = new Server(serverOptions);
  const stopping = new AbortController();
  addEtcdServices(
    server,
    serviceContext(store, () => endpoint),
    stopping.signal,
  );
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  return {
    take: (connection) => injector.injectConnection(connection),
    close() {
      stopping.abort();
      injector.destroy();
      server.forceShutdown();
    },
  };
}
