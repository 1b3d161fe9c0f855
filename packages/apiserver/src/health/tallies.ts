import type { Metric, Registry } from 'prom-client';

type Labels = Readonly<Record<string, string>>;

interface Value {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
}

/** What all requests count: adding is an addition, and the text is made when somebody asks. prom-client's own look every series up by its labels, each time. */
abstract class Tallies<S> {
  protected readonly all: { readonly labels: Labels; readonly series: S }[] = [];
  protected abstract readonly type: 'counter' | 'histogram';

  constructor(
    readonly name: string,
    readonly help: string,
    registry: Registry,
  ) {
    registry.registerMetric(this as unknown as Metric);
  }

  /** Of new labels; the caller keeps it. */
  protected add(labels: Labels, series: S): S {
    this.all.push({ labels, series });
    return series;
  }

  reset(): void {
    this.all.length = 0;
  }

  /** prom-client's. */
  async get(): Promise<{ name: string; help: string; type: string; values: Value[]; aggregator: string }> {
    const values = this.all.flatMap(({ labels, series }) => this.values(labels, series));
    return { name: this.name, help: this.help, type: this.type, values, aggregator: 'sum' };
  }

  protected abstract values(labels: Labels, series: S): Value[];
}

export class Tally {
  value = 0;
}

export class CounterTallies extends Tallies<Tally> {
  protected readonly type = 'counter';

  of(labels: Labels): Tally {
    return this.add(labels, new Tally());
  }

  protected values(labels: Labels, { value }: Tally): Value[] {
    return [{ labels, value }];
  }
}

export class Distribution {
  sum = 0;
  /** By bucket, not cumulative; the last one is beyond all bounds. */
  readonly counts: number[];

  constructor(readonly bounds: readonly number[]) {
    this.counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let i = 0;
    while (i < bounds.length && value > (bounds[i] as number)) i++;
    counts[i] = (counts[i] as number) + 1;
    this.sum += value;
  }
}

export class HistogramTallies extends Tallies<Distribution> {
  protected readonly type = 'histogram';

  constructor(
    name: string,
    help: string,
    registry: Registry,
    readonly bounds: readonly number[],
  ) {
    super(name, help, registry);
  }

  of(labels: Labels): Distribution {
    return this.add(labels, new Distribution(this.bounds));
  }

  protected values(labels: Labels, { counts, sum }: Distribution): Value[] {
    let count = 0;
    const buckets = counts.map((n, i) => ({ labels: { ...labels, le: this.bounds[i] ?? '+Inf' }, value: (count += n), metricName: `${this.name}_bucket` }));
    return [...buckets, { labels, value: sum, metricName: `${this.name}_sum` }, { labels, value: count, metricName: `${this.name}_count` }];
  }
}
