import type { Server, ServerOptions } from '@grpc/grpc-js';
import { Cluster, KV, Lease, Maintenance, Watch } from './generated/etcdserverpb/rpc_pb.js';
import { addService } from './grpc-server.js';
import { kvService } from './kv-service.js';
import { leaseService } from './lease-service.js';
import { clusterService, maintenanceService } from './maintenance-service.js';
import type { ServiceContext } from './service-context.js';
import { toEtcdStatus } from './to-etcd-status.js';
import { watchService } from './watch-service.js';

/** etcd's: requests of 2 MiB at most, answers as large as they are. */
export const serverOptions: ServerOptions = { 'grpc.max_receive_message_length': 2 * 1024 * 1024, 'grpc.max_send_message_length': -1 };

/** All of etcd's services that are answered here; `signal` ends streams. */
export function addEtcdServices(server: Server, context: ServiceContext, signal: AbortSignal): void {
  addService(server, KV, kvService(context), toEtcdStatus, signal);
  addService(server, Watch, watchService(context), toEtcdStatus, signal);
  addService(server, Lease, leaseService(context), toEtcdStatus, signal);
  addService(server, Maintenance, maintenanceService(context), toEtcdStatus, signal);
  addService(server, Cluster, clusterService(context), toEtcdStatus, signal);
}
