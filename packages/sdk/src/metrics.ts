/** The content type of what metrics print themselves in. */
export const PROMETHEUS_TEXT = 'text/plain; version=0.0.4; charset=utf-8';

export type MetricLabels = Readonly<Record<string, string>>;

const text = (labels: MetricLabels): string => {
  const keys = Object.keys(labels);
  return keys.length === 0 ? '' : keys.map((k) => `${k}="${escapeLabel(labels[k] as string)}"`).join(',');
};
/** The text format knows these three escapes and no others. */
const escapeLabel = (value: string): string => (/[\\\n"]/.test(value) ? value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"') : value);
const braces = (labels: string): string => (labels === '' ? '' : `{${labels}}`);

/** Something that prints itself in Prometheus' text format. */
export interface Metric {
  expose(): string;
}

abstract class NamedMetric implements Metric {
  constructor(
    readonly name: string,
    readonly help: string,
    readonly type: 'counter' | 'gauge' | 'histogram',
  ) {}

  protected abstract lines(): string[];

  expose(): string {
    return [`# HELP ${this.name} ${this.help}`, `# TYPE ${this.name} ${this.type}`, ...this.lines()].join('\n');
  }
}

/** Only grows. */
export class Counter extends NamedMetric {
  readonly #values = new Map<string, number>();

  constructor(name: string, help: string) {
    super(name, help, 'counter');
  }

  inc(labels: MetricLabels = {}, by = 1): void {
    const key = text(labels);
    this.#values.set(key, (this.#values.get(key) ?? 0) + by);
  }

  value(labels: MetricLabels = {}): number {
    return this.#values.get(text(labels)) ?? 0;
  }

  protected lines(): string[] {
    return [...this.#values].map(([labels, v]) => `${this.name}${braces(labels)} ${v}`);
  }
}

/** Read when it is printed. */
export class Gauge extends NamedMetric {
  constructor(
    name: string,
    help: string,
    readonly read: () => Iterable<{ readonly labels?: MetricLabels; readonly value: number }>,
  ) {
    super(name, help, 'gauge');
  }

  protected lines(): string[] {
    return [...this.read()].map(({ labels = {}, value }) => `${this.name}${braces(text(labels))} ${value}`);
  }
}

/** Counts in buckets (upper bounds, in the metric's unit). */
export class Histogram extends NamedMetric {
  readonly #series = new Map<string, { readonly counts: number[]; sum: number; count: number }>();

  constructor(
    name: string,
    help: string,
    readonly buckets: readonly number[],
  ) {
    super(name, help, 'histogram');
  }

  observe(value: number, labels: MetricLabels = {}): void {
    const key = text(labels);
    let s = this.#series.get(key);
    if (!s) this.#series.set(key, (s = { counts: new Array<number>(this.buckets.length).fill(0), sum: 0, count: 0 }));
    s.sum += value;
    s.count++;
    for (let i = this.buckets.length - 1; i >= 0 && value <= (this.buckets[i] as number); i--) (s.counts[i] as number)++;
  }

  protected lines(): string[] {
    return [...this.#series].flatMap(([labels, s]) => {
      const prefix = labels === '' ? '' : `${labels},`;
      return [
        ...this.buckets.map((b, i) => `${this.name}_bucket{${prefix}le="${b}"} ${s.counts[i]}`),
        `${this.name}_bucket{${prefix}le="+Inf"} ${s.count}`,
        `${this.name}_sum${braces(labels)} ${s.sum}`,
        `${this.name}_count${braces(labels)} ${s.count}`,
      ];
    });
  }
}

/** `count` bounds, each `factor` times the one before. */
export const exponentialBuckets = (start: number, factor: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => Number((start * factor ** i).toPrecision(12)));

/** The metrics of one component. */
export class MetricRegistry {
  readonly #metrics: Metric[] = [];

  register<M extends Metric>(metric: M): M {
    this.#metrics.push(metric);
    return metric;
  }

  expose(): string {
    return `${this.#metrics.map((m) => m.expose().trimEnd()).join('\n')}\n`;
  }
}
