import { Counter, exponentialBuckets, Gauge, Histogram, type Metric, MetricRegistry, ProcessMetrics } from '@coxswain/sdk';
import { isIPv6 } from 'node:net';
import type { DnsProtocol } from './forwarder.js';
import type { Response } from './responder.js';
import { typeName } from './responder.js';
import { RCODE_NAMES } from './wire.js';

/** Under CoreDNS's names, so that its dashboards and alerts work. */
export class DnsMetrics {
  readonly #registry = new MetricRegistry();
  readonly #requests = this.#registry.register(new Counter('coredns_dns_requests_total', 'DNS queries'));
  readonly #responses = this.#registry.register(new Counter('coredns_dns_responses_total', 'DNS answers by response code'));
  readonly #seconds = this.#registry.register(
    new Histogram('coredns_dns_request_duration_seconds', 'Time from query to answer', exponentialBuckets(0.00025, 2, 16)),
  );
  readonly #size = this.#registry.register(
    new Histogram('coredns_dns_response_size_bytes', 'Size of answers', [0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16_000, 32_000, 48_000, 64_000]),
  );
  readonly #hits = this.#registry.register(new Counter('coredns_cache_hits_total', 'Forwarded questions answered from the cache'));
  readonly #misses = this.#registry.register(new Counter('coredns_cache_misses_total', 'Forwarded questions not in the cache'));

  constructor(
    readonly server: string,
    readonly zone: string,
    cacheEntries: () => number,
    requests: Metric,
  ) {
    this.#registry.register(requests);
    this.#registry.register(new ProcessMetrics());
    const labels = { server, type: 'success' };
    this.#registry.register(new Gauge('coredns_cache_entries', 'Answers in the cache', () => [{ labels, value: cacheEntries() }]));
  }

  observe(response: Response, protocol: DnsProtocol, seconds: number): void {
    const { server } = this;
    const zone = response.local ? `${this.zone}.` : '.';
    const base = { server, zone, view: '' };
    const type = response.query ? typeName(response.query.type) : 'other';
    const family = isIPv6(server) ? '2' : '1';
    this.#requests.inc({ ...base, proto: protocol, family, type: type.startsWith('TYPE') ? 'other' : type });
    this.#responses.inc({ ...base, rcode: RCODE_NAMES[response.rcode] ?? String(response.rcode), plugin: '' });
    this.#seconds.observe(seconds, base);
    this.#size.observe(response.message.length, { ...base, proto: protocol });
  }

  cache(hit: boolean): void {
    (hit ? this.#hits : this.#misses).inc({ server: this.server, zones: '.', view: '' });
  }

  expose(): string {
    return this.#registry.expose();
  }
}
