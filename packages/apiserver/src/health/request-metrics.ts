import { ClientMetrics } from './client-metrics.js';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ApiResponse } from '../request/api-request.js';
import type { RequestInfo } from '../request/request-info.js';

const BUCKETS = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];

interface Series {
  readonly counter: Counter.Internal;
  readonly duration: Histogram.Internal<string>;
}

/** What is counted of requests, under upstream's names. Looking up a series costs more than counting: each is looked up once. */
export class RequestMetrics {
  readonly registry = new Registry();
  readonly #requests = new Counter({
    name: 'apiserver_request_total',
    help: 'Requests by verb, resource and code.',
    labelNames: ['verb', 'dry_run', 'group', 'version', 'resource', 'subresource', 'scope', 'component', 'code'],
    registers: [this.registry],
  });
  readonly #durations = new Histogram({
    name: 'apiserver_request_duration_seconds',
    help: 'Time to answer by verb and resource.',
    labelNames: ['verb', 'dry_run', 'group', 'version', 'resource', 'subresource', 'scope', 'component'],
    buckets: BUCKETS,
    registers: [this.registry],
  });
  readonly #series = new Map<string, Series>();
  readonly clients = new ClientMetrics(this.registry);

  gauge(name: string, help: string, labelNames: readonly string[], collect: (gauge: Gauge<string>) => void): void {
    new Gauge<string>({
      name,
      help,
      labelNames: [...labelNames],
      registers: [this.registry],
      collect() {
        collect(this as Gauge<string>);
      },
    });
  }

  observe(info: RequestInfo, response: ApiResponse, milliseconds: number): void {
    const resource = info.resource;
    const known = resource !== undefined && response.status !== 404;
    const verb = info.verb.toUpperCase();
    const scope = !known ? '' : resource.name !== '' ? 'resource' : resource.namespace !== '' ? 'namespace' : 'cluster';
    const group = known ? resource.group : '';
    const name = known ? resource.resource : '';
    const subresource = known ? resource.subresource : '';
    const version = known ? resource.version : '';
    const key = `${verb}/${group}/${version}/${name}/${subresource}/${scope}/${response.status}`;
    let series = this.#series.get(key);
    if (!series) {
      const labels = { verb, dry_run: '', group, version, resource: name, subresource, scope, component: 'apiserver' };
      series = { counter: this.#requests.labels({ ...labels, code: String(response.status) }), duration: this.#durations.labels(labels) };
      if (this.#series.size < 10_000) this.#series.set(key, series);
    }
    series.counter.inc();
    if (response.type !== 'stream') series.duration.observe(milliseconds / 1000);
  }
}
