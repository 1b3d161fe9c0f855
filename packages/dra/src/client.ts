import { rpcClient, type RpcClient, type RpcClientOptions, unixConnection } from '@coxswain/cri';
import { DRAPlugin } from './generated/k8s/dra/v1/api_pb.js';

/** A driver over its socket. */
export interface DraConnection {
  readonly plugin: RpcClient<typeof DRAPlugin>;
  close(): void;
}

export interface ConnectDraOptions extends RpcClientOptions {
  /** The driver's socket, `unix:///run/…sock` or a path. */
  readonly endpoint: string;
}

/** Connect to a DRA v1 driver. Nothing is sent before the first call; calls have a deadline (default 45 seconds). Failures are `RpcError`s. */
export function connectDra(options: ConnectDraOptions): DraConnection {
  const connection = unixConnection(options.endpoint);
  return { plugin: rpcClient(DRAPlugin, connection, { timeoutMs: 45_000, connectTimeoutMs: 5000, ...options }), close: () => connection.close() };
}
