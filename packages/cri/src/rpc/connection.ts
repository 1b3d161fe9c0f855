import { Client, credentials } from '@grpc/grpc-js';

/** CRI's and containerd's limit on one message, in bytes. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** `unix:///run/x.sock`, `unix:/run/x.sock` or a bare path as the path of the socket. */
export function socketPath(endpoint: string): string {
  if (endpoint.startsWith('unix://')) return endpoint.slice('unix://'.length);
  if (endpoint.startsWith('unix:')) return endpoint.slice('unix:'.length);
  if (endpoint.startsWith('/')) return endpoint;
  throw new TypeError(`endpoint ${JSON.stringify(endpoint)} is not a unix socket: expected unix:///path`);
}

/** A gRPC connection to a unix socket. Connects at the first call and again after it broke. */
export function unixConnection(endpoint: string): Client {
  return new Client(`unix://${socketPath(endpoint)}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
    'grpc.initial_reconnect_backoff_ms': 50,
    'grpc.max_reconnect_backoff_ms': 1000,
    'grpc.min_reconnect_backoff_ms': 50,
    // A local socket never goes through a proxy, whatever the environment says.
    'grpc.enable_http_proxy': 0,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.default_authority': 'localhost',
  });
}
