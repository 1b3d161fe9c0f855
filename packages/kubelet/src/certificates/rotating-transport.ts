import {
  type HttpsTransport,
  type Transport,
  TransportError,
  type TransportRequest,
  type TransportResponse,
  type TransportStream,
  type TransportUpgrade,
} from '@coxswain/client';

/**
 * A transport whose connections can be replaced: requests that come later use the new ones. Those in flight are answered on the old ones, then
 * these close, so that nothing goes on with a certificate that runs out; watches end with them and are taken up again.
 */
export class RotatingTransport implements Transport {
  #current: HttpsTransport;
  readonly #inFlight = new Map<HttpsTransport, number>();
  #closed = false;

  constructor(private readonly make: () => HttpsTransport) {
    this.#current = make();
  }

  get host(): string {
    return this.#current.host;
  }

  async request(request: TransportRequest): Promise<TransportResponse> {
    const transport = this.#current;
    this.#inFlight.set(transport, (this.#inFlight.get(transport) ?? 0) + 1);
    try {
      return await transport.request(request);
    } finally {
      const left = (this.#inFlight.get(transport) ?? 1) - 1;
      if (left > 0) this.#inFlight.set(transport, left);
      else this.#inFlight.delete(transport);
      if (left === 0 && transport !== this.#current) void transport.close();
    }
  }

  stream(request: TransportRequest): Promise<TransportStream> {
    return this.#current.stream(request);
  }

  upgrade(request: TransportRequest): Promise<TransportUpgrade> {
    return this.#current.upgrade(request);
  }

  /** Reads the credentials again and connects anew. */
  rotate(): void {
    if (this.#closed) throw new TransportError('the transport is closed', false);
    const old = this.#current;
    this.#current = this.make();
    if (!this.#inFlight.has(old)) void old.close();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...new Set([this.#current, ...this.#inFlight.keys()])].map((t) => t.close()));
  }
}
