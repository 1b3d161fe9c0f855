import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type Message,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { drained, type RpcCodeName, RpcCode, RpcError, type RpcHandlers } from '@coxswain/cri';
import type {
  handleBidiStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  MethodDefinition,
  Server,
  ServerDuplexStream,
  ServerWritableStream,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { EtcdError } from './etcd-errors.js';

export interface StreamContext {
  /** Aborts when the caller goes away or the server stops. */
  readonly signal: AbortSignal;
}

/** Resolves when the stream takes more: awaiting it gives back-pressure. */
export type Send<T> = (message: T) => Promise<void>;

type Kind<M extends DescMethod, K extends DescMethod['methodKind']> = M & { methodKind: K };

type Handler<S extends DescService, K extends keyof S['method']> =
  S['method'][K] extends Kind<infer D, 'bidi_streaming'>
    ? (requests: AsyncIterable<MessageShape<D['input']>>, send: Send<MessageInitShape<D['output']>>, context: StreamContext) => Promise<void>
    : RpcHandlers<S>[K];

/** What implements a service, bidirectional streams included. Methods left out answer UNIMPLEMENTED. */
export type Handlers<S extends DescService> = { readonly [K in keyof S['method']]?: Handler<S, K> };

/** Turns what a handler threw into a status. */
export type ToStatus = (error: unknown) => { readonly code: RpcCodeName; readonly message: string };

type Unary = (request: Message, context: StreamContext & { method: string; metadata: Record<string, string> }) => Promise<Message>;
type ServerStream = (request: Message, context: StreamContext) => AsyncIterable<Message>;
type Bidi = (requests: AsyncIterable<Message>, send: Send<Message>, context: StreamContext) => Promise<void>;

/** Add a protoc-gen-es service to a grpc-js server. */
export function addService<S extends DescService>(server: Server, service: S, handlers: Handlers<S>, toStatus: ToStatus, stopping: AbortSignal): void {
  const definition: Record<string, MethodDefinition<Message, Message>> = {};
  const implementation: UntypedServiceImplementation = {};
  const failure = (error: unknown) => {
    const { code, message } = toStatus(error);
    return { code: RpcCode[code], details: message };
  };
  for (const method of service.methods) {
    const path = `/${service.typeName}/${method.name}`;
    definition[method.localName] = methodDefinition(path, method);
    const found: unknown = (handlers as Record<string, unknown>)[method.localName];
    const missing = () => {
      throw new RpcError('unimplemented', `${path} is not implemented by this server`);
    };
    const target = typeof found === 'function' ? found.bind(handlers) : missing;
    const output = (message: Message) => (message.$typeName === undefined ? create(method.output, message) : message);
    switch (method.methodKind) {
      case 'unary': {
        const unary: handleUnaryCall<Message, Message> = (call, callback) => {
          const context = { signal: signalOf(call, stopping), method: path, metadata: {} };
          Promise.resolve()
            .then(() => (target as Unary)(call.request, context))
            .then(
              (response) => callback(null, output(response)),
              (error: unknown) => callback(failure(error), null),
            );
        };
        implementation[method.localName] = unary;
        break;
      }
      case 'server_streaming': {
        const stream: handleServerStreamingCall<Message, Message> = (call) => {
          const signal = signalOf(call, stopping);
          const send = sender(call, output, signal);
          void (async () => {
            for await (const message of (target as ServerStream)(call.request, { signal })) await send(message);
          })().then(
            () => call.end(),
            (error: unknown) => call.emit('error', failure(error)),
          );
        };
        implementation[method.localName] = stream;
        break;
      }
      default: {
        const bidi: handleBidiStreamingCall<Message, Message> = (call) => {
          const signal = signalOf(call, stopping);
          Promise.resolve()
            // Clients keep such a stream open for ever: a server that stops ends it.
            .then(() => Promise.race([(target as Bidi)(call, sender(call, output, signal), { signal }), stopped(stopping)]))
            .then(
              () => call.end(),
              (error: unknown) => call.emit('error', failure(error)),
            );
        };
        implementation[method.localName] = bidi;
      }
    }
  }
  server.addService(definition, implementation);
}

function stopped(stopping: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const error = new EtcdError('stopped');
    if (stopping.aborted) reject(error);
    stopping.addEventListener('abort', () => reject(error), { once: true });
  });
}

function signalOf(call: { on(event: 'cancelled', listener: () => void): unknown }, stopping: AbortSignal): AbortSignal {
  const gone = new AbortController();
  call.on('cancelled', () => gone.abort(new RpcError('canceled', 'the caller went away')));
  return AbortSignal.any([gone.signal, stopping]);
}

function sender(
  call: ServerWritableStream<Message, Message> | ServerDuplexStream<Message, Message>,
  output: (message: Message) => Message,
  signal: AbortSignal,
): Send<Message> {
  return async (message) => {
    if (signal.aborted || call.write(output(message))) return;
    await drained(call, signal);
  };
}

function methodDefinition(path: string, method: DescMethod): MethodDefinition<Message, Message> {
  const serialize = (desc: DescMessage) => (message: Message) => Buffer.from(toBinary(desc, message));
  const deserialize = (desc: DescMessage) => (bytes: Buffer) => fromBinary(desc, bytes);
  return {
    path,
    requestStream: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
    responseStream: method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming',
    requestSerialize: serialize(method.input),
    requestDeserialize: deserialize(method.input),
    responseSerialize: serialize(method.output),
    responseDeserialize: deserialize(method.output),
  };
}
