import { ApiError, genericServerResponse, isStatus, type GroupResource } from '@coxswain/apimachinery';
import { systemClock, type Clock, KUBERNETES_VERSION } from '@coxswain/sdk';
import { RestMetrics } from './rest-metrics.js';
import { TransportError, type Transport, type TransportRequest, type TransportResponse, type TransportStream } from '../transport/transport.js';

export interface RestClientOptions {
  readonly transport: Transport;
  /** `kubelet/v1.36.0`; a leading path of the program's own name is not added. */
  readonly userAgent?: string | undefined;
  readonly clock?: Clock | undefined;
  /** How often a request is repeated when the server asks for it with Retry-After, or a read's connection broke. */
  readonly maxRetries?: number | undefined;
  /** Where requests are counted; several clients may share one. */
  readonly metrics?: RestMetrics | undefined;
  /** Called with the texts of `Warning` headers. */
  readonly onWarning?: ((text: string) => void) | undefined;
}

export interface RestRequest extends Omit<TransportRequest, 'headers' | 'body'> {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Already encoded, with its content type in `headers`. */
  readonly raw?: Uint8Array | string | undefined;
  /** For messages of answers that are not a Status. */
  readonly resource?: GroupResource | undefined;
  readonly name?: string | undefined;
}

const decoder = new TextDecoder();

/** JSON requests over a transport: errors become `ApiError`, Retry-After is honoured, reads survive a broken connection. */
export class RestClient {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly metrics: RestMetrics;
  readonly #userAgent: string;
  readonly #maxRetries: number;
  readonly #onWarning: ((text: string) => void) | undefined;

  constructor(options: RestClientOptions) {
    this.transport = options.transport;
    this.clock = options.clock ?? systemClock;
    this.metrics = options.metrics ?? new RestMetrics();
    this.#userAgent = options.userAgent ?? `coxswain/${KUBERNETES_VERSION}`;
    this.#maxRetries = options.maxRetries ?? 10;
    this.#onWarning = options.onWarning;
  }

  /** The parsed answer. Throws `ApiError`, `TransportError`, or the signal's reason. */
  async json<T>(request: RestRequest): Promise<T> {
    const response = await this.raw(request);
    if (response.object !== undefined) return response.object as T;
    return JSON.parse(decoder.decode(response.body)) as T;
  }

  /** The answer as it came, after errors were dealt with. */
  async raw(request: RestRequest): Promise<TransportResponse> {
    const wire = this.#encode(request);
    for (let attempt = 0; ; attempt++) {
      let response: TransportResponse;
      try {
        response = await this.#counted(wire, () => this.transport.request(wire));
      } catch (error) {
        if (!this.#mayRepeat(request, error, attempt)) throw error;
        await this.clock.sleep(Math.min(1000, 50 * 2 ** attempt), request.signal);
        continue;
      }
      this.#warn(response.headers);
      if (response.status < 400) return response;
      const wait = attempt < this.#maxRetries ? retryAfterMs(response.status, response.headers) : undefined;
      if (wait === undefined) throw this.#error(request, response.status, response.headers, response.object ?? parse(response.body), response.body);
      await this.clock.sleep(wait, request.signal);
    }
  }

  /** An answer whose body comes over time; throws like `json` when it is an error. */
  async stream(request: RestRequest): Promise<TransportStream> {
    const wire = this.#encode(request);
    for (let attempt = 0; ; attempt++) {
      const response = await this.#counted(wire, () => this.transport.stream(wire));
      this.#warn(response.headers);
      if (response.status < 400) return response;
      const chunks: Uint8Array[] = [];
      for await (const chunk of response.chunks) chunks.push(chunk);
      const body = Buffer.concat(chunks);
      const wait = attempt < this.#maxRetries ? retryAfterMs(response.status, response.headers) : undefined;
      if (wait === undefined) throw this.#error(request, response.status, response.headers, parse(body), body);
      await this.clock.sleep(wait, request.signal);
    }
  }

  async #counted<T extends { readonly status: number }>({ method }: TransportRequest, send: () => Promise<T>): Promise<T> {
    const begin = this.clock.monotonic();
    let status: number | undefined;
    try {
      const response = await send();
      status = response.status;
      return response;
    } finally {
      this.metrics.answered(method, this.transport.host ?? 'in-process', status, (this.clock.monotonic() - begin) / 1000);
    }
  }

  #encode(request: RestRequest): TransportRequest {
    const headers: Record<string, string> = { accept: 'application/json', 'user-agent': this.#userAgent };
    let body = request.raw;
    if (request.body !== undefined) {
      body = JSON.stringify(request.body);
      headers['content-type'] = 'application/json';
    }
    Object.assign(headers, request.headers);
    const { method, path, query, signal } = request;
    return { method, path, query, headers, body, signal };
  }

  /** A read may be repeated always, a write only if it never left. A server that refuses connections is the caller's to wait for. */
  #mayRepeat(request: RestRequest, error: unknown, attempt: number): boolean {
    return error instanceof TransportError && error.sent && (request.method === 'GET' || request.method === 'HEAD') && attempt < Math.min(3, this.#maxRetries);
  }

  #warn(headers: Readonly<Record<string, string>>): void {
    const warning = headers['warning'];
    if (!warning || !this.#onWarning) return;
    for (const m of warning.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)) this.#onWarning((m[1] as string).replace(/\\(.)/g, '$1'));
  }

  #error(request: RestRequest, code: number, headers: Readonly<Record<string, string>>, object: unknown, body: Uint8Array): ApiError {
    if (isStatus(object) && object.status !== 'Success') return new ApiError(object.code === undefined ? { ...object, code } : object);
    const seconds = Number.parseInt(headers['retry-after'] ?? '', 10);
    const { resource, name, method } = request;
    const serverMessage = decoder.decode(body.subarray(0, 2048)).trim();
    return genericServerResponse({
      code,
      method,
      serverMessage,
      ...(resource && { resource }),
      ...(name && { name }),
      ...(seconds > 0 && { retryAfterSeconds: seconds }),
    });
  }
}

function parse(body: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(body));
  } catch {
    return undefined;
  }
}

/** Upstream's rule: 429 and 5xx with a Retry-After in seconds are asked again. */
function retryAfterMs(status: number, headers: Readonly<Record<string, string>>): number | undefined {
  if (status !== 429 && status < 500) return undefined;
  const text = headers['retry-after'];
  return text && /^\d+$/.test(text) ? Number(text) * 1000 : undefined;
}
