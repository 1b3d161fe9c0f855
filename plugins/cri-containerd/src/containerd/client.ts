import { type RpcClient, type RpcClientOptions, rpcClient, unixConnection } from '@coxswain/cri';
import { Containers } from '../generated/containerd/services/containers/v1/containers_pb.js';
import { Content } from '../generated/containerd/services/content/v1/content_pb.js';
import { Diff } from '../generated/containerd/services/diff/v1/diff_pb.js';
import { Events } from '../generated/containerd/services/events/v1/events_pb.js';
import { Images } from '../generated/containerd/services/images/v1/images_pb.js';
import { Introspection } from '../generated/containerd/services/introspection/v1/introspection_pb.js';
import { Leases } from '../generated/containerd/services/leases/v1/leases_pb.js';
import { Namespaces } from '../generated/containerd/services/namespaces/v1/namespace_pb.js';
import { Snapshots } from '../generated/containerd/services/snapshots/v1/snapshots_pb.js';
import { Tasks } from '../generated/containerd/services/tasks/v1/tasks_pb.js';
import { Version } from '../generated/containerd/services/version/v1/version_pb.js';

/** The namespace Kubernetes' containers live in; `ctr -n k8s.io` and upstream's plugin use the same. */
export const KUBERNETES_NAMESPACE = 'k8s.io';

export interface Containerd {
  readonly containers: RpcClient<typeof Containers>;
  readonly content: RpcClient<typeof Content>;
  readonly diff: RpcClient<typeof Diff>;
  readonly events: RpcClient<typeof Events>;
  readonly images: RpcClient<typeof Images>;
  readonly introspection: RpcClient<typeof Introspection>;
  readonly leases: RpcClient<typeof Leases>;
  readonly namespaces: RpcClient<typeof Namespaces>;
  readonly snapshots: RpcClient<typeof Snapshots>;
  readonly tasks: RpcClient<typeof Tasks>;
  readonly version: RpcClient<typeof Version>;
  close(): void;
}

export interface ConnectContainerdOptions extends RpcClientOptions {
  /** containerd's `grpc.address`. */
  readonly socket: string;
  readonly namespace?: string;
}

/** containerd's own services, in one namespace. */
export function connectContainerd(options: ConnectContainerdOptions): Containerd {
  const connection = unixConnection(options.socket);
  const settings: RpcClientOptions = {
    connectTimeoutMs: 10_000,
    ...options,
    metadata: { ...options.metadata, 'containerd-namespace': options.namespace ?? KUBERNETES_NAMESPACE },
  };
  return {
    containers: rpcClient(Containers, connection, settings),
    content: rpcClient(Content, connection, settings),
    diff: rpcClient(Diff, connection, settings),
    events: rpcClient(Events, connection, settings),
    images: rpcClient(Images, connection, settings),
    introspection: rpcClient(Introspection, connection, settings),
    leases: rpcClient(Leases, connection, settings),
    namespaces: rpcClient(Namespaces, connection, settings),
    snapshots: rpcClient(Snapshots, connection, settings),
    tasks: rpcClient(Tasks, connection, settings),
    version: rpcClient(Version, connection, settings),
    close: () => connection.close(),
  };
}

/** Call options that put what a call makes under a lease. */
export const underLease = (lease: string) => ({ metadata: { 'containerd-lease': lease } });
