import { rpcClient, type RpcClientOptions } from './rpc/client.js';
import { unixConnection } from './rpc/connection.js';
import type { RpcClient } from './rpc/types.js';
import { ImageService as ImageServiceDesc, RuntimeService as RuntimeServiceDesc } from './generated/runtime/v1/api_pb.js';

export type RuntimeServiceClient = RpcClient<typeof RuntimeServiceDesc>;
export type ImageServiceClient = RpcClient<typeof ImageServiceDesc>;

export interface ConnectCriOptions extends RpcClientOptions {
  /** The runtime's socket, `unix:///run/…sock`. */
  readonly endpoint: string;
  /** Where images are served, when that is another socket. */
  readonly imageEndpoint?: string;
}

export interface CriConnection {
  readonly runtime: RuntimeServiceClient;
  readonly image: ImageServiceClient;
  close(): void;
}

/**
 * Connect to a CRI v1 runtime: containerd, CRI-O or one of ours. Nothing is sent before the first call.
 * Unary calls have a deadline of `timeoutMs` (default two minutes, upstream's), pulls none; both can be set per call.
 * A call that finds no server waits up to `connectTimeoutMs` (default 10 s) for one. Failures are `RpcError`s.
 */
export function connectCri(options: ConnectCriOptions): CriConnection {
  const settings: RpcClientOptions = { timeoutMs: 120_000, connectTimeoutMs: 10_000, ...options };
  const runtime = unixConnection(options.endpoint);
  const image = options.imageEndpoint && options.imageEndpoint !== options.endpoint ? unixConnection(options.imageEndpoint) : runtime;
  const images = rpcClient(ImageServiceDesc, image, settings);
  return {
    runtime: rpcClient(RuntimeServiceDesc, runtime, settings),
    image: { ...images, pullImage: (request, call) => images.pullImage(request, { timeoutMs: 0, ...call }) },
    close() {
      runtime.close();
      if (image !== runtime) image.close();
    },
  };
}
