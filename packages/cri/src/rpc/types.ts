import type { DescMessage, DescMethod, DescService, MessageInitShape, MessageShape } from '@bufbuild/protobuf';

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Deadline of this call in milliseconds; 0: none. Absent: the client's default for unary calls, none for streams. */
  readonly timeoutMs?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** What a service method learns about its call besides the request. */
export interface CallContext {
  /** Aborts when the caller goes away, its deadline passes, or the server stops. */
  readonly signal: AbortSignal;
  /** Full method name, `/runtime.v1.RuntimeService/Version`. */
  readonly method: string;
  readonly metadata: Readonly<Record<string, string>>;
}

type Kind<M extends DescMethod, K extends DescMethod['methodKind']> = M & { methodKind: K };

type ClientMethod<M> =
  M extends Kind<infer D, 'unary'>
    ? (request: MessageInitShape<D['input']>, options?: CallOptions) => Promise<MessageShape<D['output']>>
    : M extends Kind<infer D, 'server_streaming'>
      ? (request: MessageInitShape<D['input']>, options?: CallOptions) => AsyncIterable<MessageShape<D['output']>>
      : M extends Kind<infer D, 'client_streaming'>
        ? (requests: AsyncIterable<MessageInitShape<D['input']>>, options?: CallOptions) => Promise<MessageShape<D['output']>>
        : M extends Kind<infer D, 'bidi_streaming'>
          ? (requests: AsyncIterable<MessageInitShape<D['input']>>, options?: CallOptions) => AsyncIterable<MessageShape<D['output']>>
          : never;

type ServerMethod<M> =
  M extends Kind<infer D, 'unary'>
    ? (request: MessageShape<D['input']>, context: CallContext) => Promise<MessageInitShape<D['output']>>
    : M extends Kind<infer D, 'server_streaming'>
      ? (request: MessageShape<D['input']>, context: CallContext) => AsyncIterable<MessageInitShape<D['output']>>
      : never;

/** A protoc-gen-es service as an object of promise methods; streams are async iterables. */
export type RpcClient<S extends DescService> = { readonly [K in keyof S['method']]: ClientMethod<S['method'][K]> };

/** What implements a service (unary and server-streaming methods only). */
export type RpcHandlers<S extends DescService> = { [K in keyof S['method']]: ServerMethod<S['method'][K]> };

export type { DescMessage, DescMethod, DescService };
