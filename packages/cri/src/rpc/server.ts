import { chmod, rm } from 'node:fs/promises';
import { create, type DescMethod, type DescService, type Message } from '@bufbuild/protobuf';
import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { prepareSocket } from '../socket/prepare-socket.js';
import { MAX_MESSAGE_BYTES, socketPath } from './connection.js';
import { methodDefinition } from './definition.js';
import { RpcCode, RpcError } from './status.js';
import { drained } from './drained.js';
import type { CallContext } from './types.js';

/** Sees every call; calls `next` to go on. Used for logs and metrics; may throw an `RpcError` instead. */
export type RpcInterceptor = <T>(
  call: { readonly method: string; readonly request: unknown; readonly streaming: boolean },
  next: () => Promise<T>,
) => Promise<T>;

export interface RpcServerOptions {
  /** `unix:///path`. A socket nobody listens on is replaced; one that answers is an error. */
  readonly endpoint: string;
  readonly services: readonly { readonly service: DescService; readonly handlers: object }[];
  readonly interceptors?: readonly RpcInterceptor[];
  /** Stops the server. */
  readonly signal?: AbortSignal;
}

export interface RpcServer {
  readonly endpoint: string;
  /** Waits for unary calls in flight, ends streams, removes the socket. Idempotent. */
  close(): Promise<void>;
}

type Method = (request: Message, context: CallContext) => Promise<Message> | AsyncIterable<Message>;

/** Serve protoc-gen-es services on a unix socket with mode 0600. Methods that are missing answer UNIMPLEMENTED. */
export async function serveRpc(options: RpcServerOptions): Promise<RpcServer> {
  const path = socketPath(options.endpoint);
  await prepareSocket(path);
  const server = new Server({ 'grpc.max_receive_message_length': MAX_MESSAGE_BYTES, 'grpc.max_send_message_length': MAX_MESSAGE_BYTES });
  /** Of every call in flight. Not `AbortSignal.any` with one common signal: that costs more than the rest of a small call. */
  const inFlight: InFlight = new Set();
  for (const { service, handlers } of options.services) {
    const definition = Object.fromEntries(service.methods.map((m) => [m.localName, methodDefinition(service, m)]));
    const implementation: UntypedServiceImplementation = {};
    for (const method of service.methods) {
      const found = (handlers as Record<string, unknown>)[method.localName];
      const target = typeof found === 'function' ? (found.bind(handlers) as Method) : undefined;
      const path = `/${service.typeName}/${method.name}`;
      implementation[method.localName] =
        method.methodKind === 'unary'
          ? unary(method, path, target, options.interceptors ?? [], inFlight)
          : serverStreaming(method, path, target, options.interceptors ?? [], inFlight);
    }
    server.addService(definition, implementation);
  }
  // The socket must never be open to others, not even between bind and chmod.
  const umask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) =>
      server.bindAsync(`unix://${path}`, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : resolve())),
    );
  } finally {
    process.umask(umask);
  }
  await chmod(path, 0o600);
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= (async () => {
      for (const call of inFlight) call.abort(new RpcError('unavailable', 'the server is stopping'));
      await new Promise<void>((resolve) => {
        const force = setTimeout(() => server.forceShutdown(), 2000);
        server.tryShutdown(() => {
          clearTimeout(force);
          resolve();
        });
      });
      await rm(path, { force: true });
    })();
    return closed;
  };
  options.signal?.addEventListener('abort', () => void close(), { once: true });
  return { endpoint: `unix://${path}`, close };
}

type InFlight = Set<AbortController>;

function contextOf(
  call: ServerUnaryCall<Message, Message> | ServerWritableStream<Message, Message>,
  method: string,
  gone: AbortController,
  inFlight: InFlight,
): CallContext {
  call.on('cancelled', () => {
    // grpc-js says so of every call that is over, also of those that were answered.
    if (inFlight.has(gone)) gone.abort(new RpcError('canceled', 'the caller went away'));
  });
  const metadata: Record<string, string> = {};
  for (const [key, value] of Object.entries(call.metadata.getMap())) metadata[key] = String(value);
  return { signal: gone.signal, method, metadata };
}

function unary(
  method: DescMethod,
  path: string,
  target: Method | undefined,
  interceptors: readonly RpcInterceptor[],
  inFlight: InFlight,
): handleUnaryCall<Message, Message> {
  return (call, callback) => {
    const run = async () => {
      if (!target) throw new RpcError('unimplemented', `method ${method.name} not implemented`);
      return target(call.request, contextOf(call, path, gone, inFlight)) as Promise<Message>;
    };
    const gone = new AbortController();
    inFlight.add(gone);
    const done = intercept(interceptors, { method: path, request: call.request, streaming: false }, run).finally(() => inFlight.delete(gone));
    done.then(
      (response) => callback(null, response.$typeName === undefined ? create(method.output, response) : response),
      (error: unknown) => callback(toStatus(error), null),
    );
  };
}

function serverStreaming(
  method: DescMethod,
  path: string,
  target: Method | undefined,
  interceptors: readonly RpcInterceptor[],
  inFlight: InFlight,
): handleServerStreamingCall<Message, Message> {
  return (call) => {
    const gone = new AbortController();
    inFlight.add(gone);
    const context = contextOf(call, path, gone, inFlight);
    const run = async () => {
      if (!target) throw new RpcError('unimplemented', `method ${method.name} not implemented`);
      for await (const message of target(call.request, context) as AsyncIterable<Message>) {
        if (context.signal.aborted) break;
        const flowing = call.write(message.$typeName === undefined ? create(method.output, message) : message);
        if (!flowing) await drained(call, context.signal);
      }
    };
    const done = intercept(interceptors, { method: path, request: call.request, streaming: true }, run).finally(() => inFlight.delete(gone));
    done.then(
      () => call.end(),
      (error: unknown) => call.emit('error', toStatus(error)),
    );
  };
}

function intercept<T>(interceptors: readonly RpcInterceptor[], call: Parameters<RpcInterceptor>[0], run: () => Promise<T>): Promise<T> {
  return interceptors.reduceRight<() => Promise<T>>((next, interceptor) => () => interceptor(call, next), run)();
}

function toStatus(error: unknown): { code: number; details: string } {
  if (error instanceof RpcError) return { code: RpcCode[error.code], details: error.message };
  return { code: status.UNKNOWN, details: error instanceof Error ? error.message : String(error) };
}
