import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import type { Clock, Logger } from '@coxswain/sdk';
import { encodeSpans, type Span } from './span.js';
import type { TracingConfig } from './tracing-config.js';

const EXPORT = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const SCOPE = 'coxswain.apiserver';
/** As OpenTelemetry's batch processor: what waits, what goes at once, how often, how long that may take. */
const MAX_WAITING = 2048;
const MAX_BATCH = 512;
const INTERVAL_MS = 5000;
const TIMEOUT_MS = 10_000;

export interface SpanExporterOptions {
  readonly address: TracingConfig['address'];
  /** Whose spans they are. */
  readonly resource: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Sends spans to an OpenTelemetry collector by the batch (OTLP over gRPC). Those that nobody takes are dropped: no request waits for them. */
export class SpanExporter {
  #waiting: Span[] = [];
  #session: ClientHttp2Session | undefined;
  #cancel: () => void = () => {};
  #sending: Promise<void> | undefined;
  #failing = false;

  constructor(readonly options: SpanExporterOptions) {}

  add(span: Span): void {
    if (this.#waiting.length >= MAX_WAITING) return;
    this.#waiting.push(span);
    if (this.#waiting.length === 1 && !this.#sending) this.#cancel = this.options.clock.setTimeout(() => void this.flush(), INTERVAL_MS);
    if (this.#waiting.length === MAX_BATCH) void this.flush();
  }

  /** Sends what waits. Never rejects. */
  flush(): Promise<void> {
    this.#cancel();
    this.#sending ??= this.#sendAll().finally(() => (this.#sending = undefined));
    return this.#sending;
  }

  async close(): Promise<void> {
    await this.flush();
    this.#session?.close();
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, MAX_BATCH);
      try {
        await this.#send(encodeSpans(this.options.resource, SCOPE, batch));
        this.#failing = false;
      } catch (err) {
        // Once, until it works again.
        if (!this.#failing) this.options.logger.warn('spans could not be sent', { err });
        this.#failing = true;
      }
    }
  }

  #connect(): ClientHttp2Session {
    const { address } = this.options;
    const session = 'path' in address ? connect('http://localhost', { createConnection: () => connectSocket(address.path) }) : connect(originOf(address));
    session.on('error', () => {});
    session.on('close', () => {
      if (this.#session === session) this.#session = undefined;
    });
    session.unref();
    return session;
  }

  #send(message: Buffer): Promise<void> {
    this.#session ??= this.#connect();
    const session = this.#session;
    const frame = Buffer.alloc(5);
    frame.writeUInt32BE(message.length, 1);
    return new Promise((resolve, reject) => {
      const stream = session.request({
        [constants.HTTP2_HEADER_METHOD]: 'POST',
        [constants.HTTP2_HEADER_PATH]: EXPORT,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      const cancel = this.options.clock.setTimeout(() => stream.destroy(new Error('the collector did not answer in time')), TIMEOUT_MS);
      let status: string | undefined;
      const told = (headers: Readonly<Record<string, unknown>>) => {
        const code = headers['grpc-status'];
        if (typeof code === 'string') status = code === '0' ? code : `${code} ${String(headers['grpc-message'] ?? '')}`;
      };
      stream.on('response', told).on('trailers', told).on('error', reject).resume();
      stream.on('close', () => {
        cancel();
        if (status === '0') resolve();
        else reject(new Error(`the collector answered ${status ?? 'nothing'}`));
      });
      stream.end(Buffer.concat([frame, message]));
    });
  }
}

const originOf = ({ host, port }: { readonly host: string; readonly port: number }): string => `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
