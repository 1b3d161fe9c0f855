export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
  /** Milliseconds since the epoch. */
  readonly timestamp?: number;
}

export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly samples: readonly Sample[];
}

/** Prometheus text format 0.0.4. Metrics without samples are left out. */
export function formatMetrics(metrics: readonly Metric[]): string {
  let out = '';
  for (const { name, help, type, samples } of metrics) {
    if (samples.length === 0) continue;
    out += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
    for (const { labels, value, timestamp } of samples) {
      const pairs = Object.entries(labels ?? {}).map(([k, v]) => `${k}="${escapeLabel(v)}"`);
      out += `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}${timestamp === undefined ? '' : ` ${timestamp}`}\n`;
    }
  }
  return out;
}

const escapeLabel = (value: string) => value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');

/** Counters and gauges kept by label set. */
export class MetricSet {
  readonly #metrics = new Map<
    string,
    {
      readonly help: string;
      readonly type: 'counter' | 'gauge';
      readonly values: Map<string, { readonly labels: Readonly<Record<string, string>>; value: number }>;
    }
  >();

  add(name: string, help: string, labels: Readonly<Record<string, string>> = {}, by = 1): void {
    this.#cell(name, help, 'counter', labels).value += by;
  }

  #cell(name: string, help: string, type: 'counter' | 'gauge', labels: Readonly<Record<string, string>>) {
    let metric = this.#metrics.get(name);
    if (!metric) {
      metric = { help, type, values: new Map() };
      this.#metrics.set(name, metric);
    }
    const key = JSON.stringify(labels);
    let cell = metric.values.get(key);
    if (!cell) {
      cell = { labels, value: 0 };
      metric.values.set(key, cell);
    }
    return cell;
  }

  metrics(): Metric[] {
    return [...this.#metrics].map(([name, { help, type, values }]) => ({ name, help, type, samples: [...values.values()] }));
  }
}
