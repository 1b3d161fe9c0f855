import { ClientMetrics } from './client-metrics.js';
import { Gauge, Registry } from 'prom-client';
import type { ApiResponse } from '../request/api-request.js';
import type { RequestInfo } from '../request/request-info.js';
import { CounterTallies, HistogramTallies } from './tallies.js';
import type { Distribution, Tally } from './tallies.js';

const BUCKETS = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];

const MAX_SERIES = 10_000;
const OTHERS = 'others';

interface Series {
  readonly requests: Tally;
  readonly duration: Distribution;
}

/** What is counted of requests, under upstream's names. Looking up a series costs more than counting: each is looked up once. */
export class RequestMetrics {
  readonly registry = new Registry();
  readonly #requests = new CounterTallies('apiserver_request_total', 'Requests by verb, resource and code.', this.registry);
  readonly #durations = new HistogramTallies('apiserver_request_duration_seconds', 'Time to answer by verb and resource.', this.registry, BUCKETS);
  readonly #durationSeries = new Map<string, Distribution>();
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
    const where = `${verb}/${group}/${version}/${name}/${subresource}/${scope}`;
    const key = `${where}/${response.status}`;
    const series =
      this.#series.get(key) ??
      this.#add(key, where, { verb, dry_run: '', group, version, resource: name, subresource, scope, component: 'apiserver' }, response.status);
    series.requests.value++;
    if (response.type !== 'stream') series.duration.observe(milliseconds / 1000);
  }

  #add(key: string, where: string, labels: Readonly<Record<string, string>>, status: number): Series {
    // Anybody can ask for anything: what is beyond counts as one.
    if (this.#series.size >= MAX_SERIES && key !== OTHERS) {
      const others = Object.fromEntries(Object.keys(labels).map((label) => [label, 'other']));
      return this.#series.get(OTHERS) ?? this.#add(OTHERS, OTHERS, others, status);
    }
    let duration = this.#durationSeries.get(where);
    if (!duration) this.#durationSeries.set(where, (duration = this.#durations.of(labels)));
    const series = { requests: this.#requests.of({ ...labels, code: String(status) }), duration };
    this.#series.set(key, series);
    return series;
  }
}
