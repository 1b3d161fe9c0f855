import { create, type DescService, type Message, type MessageInitShape } from '@bufbuild/protobuf';
import type { CriConnection, ImageServiceClient, RuntimeServiceClient } from './client.js';
import type { CriClock } from './clock.js';
import { ImageService as ImageServiceDesc, RuntimeService as RuntimeServiceDesc } from './generated/runtime/v1/api_pb.js';
import { RpcError } from './rpc/status.js';
import type { CallContext, CallOptions } from './rpc/types.js';
import type { ImageService, RuntimeService } from './services.js';

export interface InProcessCriOptions {
  readonly runtime: RuntimeService;
  readonly image: ImageService;
  /** Keeps the calls' deadlines. Absent: calls have none. */
  readonly clock?: Pick<CriClock, 'setTimeout'>;
  /** Default deadline of unary calls but pulls, in milliseconds: two minutes, as over a socket. */
  readonly timeoutMs?: number;
}

type Handler = (request: unknown, context: CallContext) => unknown;

/**
 * A runtime in this process as a client sees one over its socket: the same methods, whole messages, and the same errors, without
 * gRPC in between. Messages are handed over and not copied: neither side may change what it was given. `close` ends what is in flight.
 */
export function connectCriInProcess(options: InProcessCriOptions): CriConnection {
  const closing = new AbortController();
  const { timeoutMs = 120_000 } = options;
  const image = inProcessClient(ImageServiceDesc, options.image, closing.signal, options.clock, timeoutMs) as ImageServiceClient;
  return {
    runtime: inProcessClient(RuntimeServiceDesc, options.runtime, closing.signal, options.clock, timeoutMs) as RuntimeServiceClient,
    image: { ...image, pullImage: (request, call) => image.pullImage(request, { timeoutMs: 0, ...call }) },
    close: () => closing.abort(new RpcError('canceled', 'the connection was closed')),
  };
}

function inProcessClient(service: DescService, handlers: object, closing: AbortSignal, clock: InProcessCriOptions['clock'], timeoutMs: number): unknown {
  const client: Record<string, unknown> = {};
  const inFlight = new Set<Gone>();
  closing.addEventListener(
    'abort',
    () => {
      for (const gone of inFlight) gone.end(cancelled(closing));
    },
    { once: true },
  );
  for (const method of service.methods) {
    const found = (handlers as Record<string, unknown>)[method.localName];
    const handler = typeof found === 'function' ? (found.bind(handlers) as Handler) : undefined;
    const path = `/${service.typeName}/${method.name}`;
    const input = (request: unknown) => whole(method.input, request);
    const missing = () => new RpcError('unimplemented', `method ${method.name} not implemented`);
    client[method.localName] =
      method.methodKind === 'server_streaming'
        ? async function* (request: unknown, call: CallOptions = {}) {
            if (!handler) throw missing();
            const signal = AbortSignal.any([closing, ...(call.signal ? [call.signal] : [])]);
            const answers = handler(input(request), { signal, method: path, metadata: call.metadata ?? {} }) as AsyncIterable<unknown>;
            for await (const answer of answers) yield whole(method.output, answer);
            if (signal.aborted) throw cancelled(signal);
          }
        : async (request: unknown, call: CallOptions = {}) => {
            if (!handler) throw missing();
            const gone = new Gone(call.signal, clock, call.timeoutMs ?? timeoutMs);
            if (closing.aborted) gone.end(cancelled(closing));
            inFlight.add(gone);
            try {
              const context = {
                get signal() {
                  return gone.signal;
                },
                method: path,
                metadata: call.metadata ?? {},
              };
              return whole(method.output, await gone.race(Promise.resolve(handler(input(request), context))));
            } catch (error) {
              throw error instanceof RpcError ? error : new RpcError('unknown', (error as Error).message, { cause: error });
            } finally {
              inFlight.delete(gone);
              gone.dispose();
            }
          };
  }
  return client;
}

const whole = (schema: DescService['methods'][number]['input'], value: unknown): Message =>
  (value as Message).$typeName === undefined ? create(schema, value as MessageInitShape<typeof schema>) : (value as Message);

const cancelled = (signal: AbortSignal) =>
  signal.reason instanceof RpcError ? signal.reason : new RpcError('canceled', (signal.reason as Error | undefined)?.message ?? 'the call was cancelled');

/**
 * The end of one call before its answer: the caller's signal, the connection's, or the deadline. Simulated nodes make calls by the ten thousand, none
 * of which looks at its signal: it is made when somebody does.
 */
class Gone {
  readonly #undo: (() => void)[] = [];
  #reason: RpcError | undefined;
  #reject: ((reason: RpcError) => void) | undefined;
  #controller: AbortController | undefined;

  constructor(caller: AbortSignal | undefined, clock: InProcessCriOptions['clock'], timeoutMs: number) {
    if (caller) {
      const abort = () => this.end(cancelled(caller));
      if (caller.aborted) abort();
      else {
        caller.addEventListener('abort', abort, { once: true });
        this.#undo.push(() => caller.removeEventListener('abort', abort));
      }
    }
    if (clock && timeoutMs > 0)
      this.#undo.push(clock.setTimeout(() => this.end(new RpcError('deadlineExceeded', `no answer within ${timeoutMs} ms`)), timeoutMs));
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#reason) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  end(reason: RpcError): void {
    if (this.#reason) return;
    this.#reason = reason;
    this.#reject?.(reason);
    this.#controller?.abort(reason);
  }

  race<T>(answer: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#reason) reject(this.#reason);
      else this.#reject = reject;
      answer.then(resolve, reject);
    });
  }

  dispose(): void {
    for (const undo of this.#undo) undo();
  }
}
