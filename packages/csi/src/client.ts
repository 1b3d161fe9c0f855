import { rpcClient, type RpcClient, type RpcClientOptions, unixConnection } from '@coxswain/cri';
import { Controller, Identity, Node } from './generated/csi/v1/csi_pb.js';

/** A driver over its socket. Which of the services it serves, `identity.getPluginCapabilities` tells. */
export interface CsiConnection {
  readonly identity: RpcClient<typeof Identity>;
  readonly controller: RpcClient<typeof Controller>;
  readonly node: RpcClient<typeof Node>;
  close(): void;
}

export interface ConnectCsiOptions extends RpcClientOptions {
  /** The driver's socket, `unix:///run/…sock` or a path. */
  readonly endpoint: string;
}

/** Connect to a CSI v1 driver. Nothing is sent before the first call; calls have a deadline (default two minutes). Failures are `RpcError`s. */
export function connectCsi(options: ConnectCsiOptions): CsiConnection {
  const settings: RpcClientOptions = { timeoutMs: 120_000, connectTimeoutMs: 5000, ...options };
  const connection = unixConnection(options.endpoint);
  return {
    identity: rpcClient(Identity, connection, settings),
    controller: rpcClient(Controller, connection, settings),
    node: rpcClient(Node, connection, settings),
    close: () => connection.close(),
  };
}
