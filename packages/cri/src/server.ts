import { type RpcInterceptor, type RpcServer, serveRpc } from './rpc/server.js';
import type { ImageService, RuntimeService } from './services.js';
import { ImageService as ImageServiceDesc, RuntimeService as RuntimeServiceDesc } from './generated/runtime/v1/api_pb.js';

export interface ServeCriOptions {
  /** `unix:///run/….sock`; made with mode 0600. A stale socket is replaced. */
  readonly endpoint: string;
  /** Calls left out answer UNIMPLEMENTED. */
  readonly runtime?: Partial<RuntimeService>;
  readonly image?: Partial<ImageService>;
  readonly interceptors?: readonly RpcInterceptor[];
  readonly signal?: AbortSignal;
}

/** Serve CRI v1 on a unix socket. Resolves once the socket accepts calls. */
export function serveCri(options: ServeCriOptions): Promise<RpcServer> {
  return serveRpc({
    endpoint: options.endpoint,
    services: [
      ...(options.runtime ? [{ service: RuntimeServiceDesc, handlers: options.runtime }] : []),
      ...(options.image ? [{ service: ImageServiceDesc, handlers: options.image }] : []),
    ],
    ...(options.interceptors ? { interceptors: options.interceptors } : {}),
    ...(options.signal ? { signal: options.signal } : {}),
  });
}
