export * from './generated/etcdserverpb/rpc_pb.js';
export * from './generated/mvccpb/kv_pb.js';
export { EtcdError, etcdErrors } from './etcd-errors.js';
export type { EtcdErrorName } from './etcd-errors.js';
export { type OnDemandOptions, serveEtcdOnDemand } from './on-demand/index.js';
export { serveEtcd } from './serve-etcd.js';
export type { EtcdServer, ServeEtcdOptions } from './serve-etcd.js';
