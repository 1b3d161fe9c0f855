import { BucketLimiter, type Transport, type TransportRequest, type TransportResponse, type TransportStream, type TransportUpgrade } from '@coxswain/client';
import type { Clock } from '@coxswain/sdk';

/** At most `qps` requests a second after a burst. Events and the node's lease are not counted, as in upstream: a busy node is no dead node. */
export class ThrottledTransport implements Transport {
  readonly #limit: BucketLimiter<void>;

  constructor(
    private readonly inner: Transport,
    private readonly clock: Clock,
    qps: number,
    burst: number,
  ) {
    this.#limit = new BucketLimiter(clock, qps, burst);
  }

  get host(): string {
    return this.inner.host ?? '';
  }

  async request(request: TransportRequest): Promise<TransportResponse> {
    await this.#turn(request);
    return this.inner.request(request);
  }

  async stream(request: TransportRequest): Promise<TransportStream> {
    await this.#turn(request);
    return this.inner.stream(request);
  }

  upgrade(request: TransportRequest): Promise<TransportUpgrade> {
    if (!this.inner.upgrade) return Promise.reject(new Error('this transport does not switch protocols'));
    return this.inner.upgrade(request);
  }

  close(): Promise<void> {
    return this.inner.close();
  }

  async #turn({ path, signal }: TransportRequest): Promise<void> {
    if (path.endsWith('/events') || path.includes('/events/') || path.includes('/leases/')) return;
    const wait = this.#limit.when();
    if (wait > 0) await this.clock.sleep(wait, signal);
  }
}
