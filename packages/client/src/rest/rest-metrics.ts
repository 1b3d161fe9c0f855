import { Counter, Histogram, type Metric } from '@coxswain/sdk';

/** Upstream's buckets. */
const BUCKETS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60];
/** What upstream says when no answer came. */
const NO_ANSWER = '<error>';

/** What a component asks of API servers, under upstream's names (`rest_client_requests_total`, …). */
export class RestMetrics implements Metric {
  readonly #requests = new Counter('rest_client_requests_total', 'Number of HTTP requests, partitioned by status code, method, and host.');
  readonly #seconds = new Histogram('rest_client_request_duration_seconds', 'Request latency in seconds. Broken down by verb, and host.', BUCKETS);

  answered(method: string, host: string, code: number | undefined, seconds: number): void {
    this.#requests.inc({ code: code === undefined ? NO_ANSWER : String(code), method, host });
    this.#seconds.observe(seconds, { verb: method, host });
  }

  expose(): string {
    return `${this.#requests.expose()}\n${this.#seconds.expose()}`;
  }
}
