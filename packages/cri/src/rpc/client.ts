import type { DescMethod, DescService, Message } from '@bufbuild/protobuf';
import { type Client, type ClientDuplexStream, type ClientReadableStream, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { type CriClock, systemCriClock } from '../clock.js';
import { methodDefinition } from './definition.js';
import { RpcError, rpcCodeName } from './status.js';
import type { CallOptions, RpcClient } from './types.js';

export interface RpcClientOptions {
  /** Deadline of unary calls in milliseconds; 0 or absent: none. */
  readonly timeoutMs?: number;
  /** How long a call waits for a server that is not there yet, in milliseconds. Default 0: fail at once. */
  readonly connectTimeoutMs?: number;
  /** Sent with every call. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly clock?: CriClock;
}

// grpc-js says this, and only this, when the request never left: such a call may be repeated whatever it does.
const neverSent = (error: unknown) =>
  error instanceof RpcError && error.code === 'unavailable' && /No connection established|Channel has been shut down/.test(error.message);

/** A typed client for one service on a shared connection. */
export function rpcClient<S extends DescService>(service: S, connection: Client, options: RpcClientOptions = {}): RpcClient<S> {
  const out: Record<string, unknown> = {};
  for (const method of service.methods) out[method.localName] = clientMethod(service, method, connection, options);
  return out as RpcClient<S>;
}

function clientMethod(service: DescService, method: DescMethod, connection: Client, defaults: RpcClientOptions): unknown {
  const { path, requestSerialize, responseDeserialize } = methodDefinition(service, method);
  const clock = defaults.clock ?? systemCriClock;

  const metadataOf = (options?: CallOptions) => {
    const metadata = new Metadata();
    for (const [key, value] of Object.entries({ ...defaults.metadata, ...options?.metadata })) metadata.set(key, value);
    return metadata;
  };
  const callOptions = (timeoutMs?: number) => (timeoutMs ? { deadline: clock.now() + timeoutMs } : {});

  const once = (request: Message, options?: CallOptions) =>
    new Promise<Message>((resolve, reject) => {
      const signal = options?.signal;
      if (signal?.aborted) return reject(signal.reason as Error);
      const onAbort = () => call.cancel();
      const call = connection.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        metadataOf(options),
        callOptions(options?.timeoutMs ?? defaults.timeoutMs),
        (error, response) => {
          signal?.removeEventListener('abort', onAbort);
          if (error) reject(signal?.aborted ? (signal.reason as Error) : toRpcError(error));
          else resolve(response as Message);
        },
      );
      signal?.addEventListener('abort', onAbort, { once: true });
    });

  switch (method.methodKind) {
    case 'unary':
      return async (request: Message, options?: CallOptions) => {
        const giveUp = clock.now() + (defaults.connectTimeoutMs ?? 0);
        for (let wait = 20; ; wait = Math.min(wait * 2, 500)) {
          try {
            return await once(request, options);
          } catch (error) {
            if (!neverSent(error) || clock.now() + wait > giveUp) throw error;
            await clock.sleep(wait, options?.signal);
          }
        }
      };
    case 'server_streaming':
      return (request: Message, options?: CallOptions) =>
        readStream(
          () => connection.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, metadataOf(options), callOptions(options?.timeoutMs)),
          options?.signal,
        );
    case 'bidi_streaming':
      return (requests: AsyncIterable<Message>, options?: CallOptions) =>
        readStream(() => {
          const call = connection.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadataOf(options), callOptions(options?.timeoutMs));
          void writeAll(call, requests);
          return call;
        }, options?.signal);
    case 'client_streaming':
      return (requests: AsyncIterable<Message>, options?: CallOptions) =>
        new Promise<Message>((resolve, reject) => {
          const onAbort = () => call.cancel();
          const call = connection.makeClientStreamRequest(
            path,
            requestSerialize,
            responseDeserialize,
            metadataOf(options),
            callOptions(options?.timeoutMs),
            (error, response) => {
              options?.signal?.removeEventListener('abort', onAbort);
              if (error) reject(toRpcError(error));
              else resolve(response as Message);
            },
          );
          options?.signal?.addEventListener('abort', onAbort, { once: true });
          void writeAll(call, requests);
        });
  }
}

async function* readStream(open: () => ClientReadableStream<Message> | ClientDuplexStream<Message, Message>, signal?: AbortSignal): AsyncGenerator<Message> {
  signal?.throwIfAborted();
  const call = open();
  const onAbort = () => call.cancel();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    for await (const message of call) yield message as Message;
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw isServiceError(error) ? toRpcError(error) : error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    // A consumer that stops early must not leave the server streaming into a full window.
    call.on('error', () => {});
    call.cancel();
  }
}

async function writeAll(
  call: { write(m: Message): boolean; end(): void; once(e: 'drain', f: () => void): unknown; cancel(): void },
  requests: AsyncIterable<Message>,
) {
  try {
    for await (const request of requests) {
      if (!call.write(request)) await new Promise<void>((resolve) => call.once('drain', resolve));
    }
    call.end();
  } catch {
    call.cancel();
  }
}

const isServiceError = (error: unknown): error is ServiceError => error instanceof Error && typeof (error as Partial<ServiceError>).code === 'number';

function toRpcError(error: ServiceError): RpcError {
  return new RpcError(rpcCodeName(error.code ?? status.UNKNOWN), error.details || error.message, { cause: error });
}
