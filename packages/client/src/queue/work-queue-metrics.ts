import type { Metric } from '@coxswain/sdk';

/** Where queues report to. */
export interface WorkQueueMetrics {
  register(name: string, gauges: { readonly depth: () => number; readonly unfinished: () => number[] }): void;
  unregister(name: string): void;
  added(name: string): void;
  retried(name: string): void;
  /** Seconds in the queue. */
  waited(name: string, seconds: number): void;
  /** Seconds of work. */
  worked(name: string, seconds: number): void;
}

/** Upstream's buckets: 10 ns … 10 s. */
const BUCKETS = Array.from({ length: 10 }, (_, i) => 10 ** (i - 8));

class Histogram {
  readonly counts = new Array<number>(BUCKETS.length).fill(0);
  sum = 0;
  count = 0;

  observe(value: number): void {
    this.sum += value;
    this.count++;
    for (let i = 0; i < BUCKETS.length; i++) if (value <= (BUCKETS[i] as number)) this.counts[i] = (this.counts[i] as number) + 1;
  }
}

class QueueFigures {
  adds = 0;
  retries = 0;
  readonly wait = new Histogram();
  readonly work = new Histogram();
  gauges: { readonly depth: () => number; readonly unfinished: () => number[] } | undefined;
}

/** Counts in memory and prints the Prometheus text under upstream's names (`workqueue_depth`, …). */
export class PrometheusWorkQueueMetrics implements WorkQueueMetrics, Metric {
  readonly #queues = new Map<string, QueueFigures>();

  #of(name: string): QueueFigures {
    let figures = this.#queues.get(name);
    if (!figures) this.#queues.set(name, (figures = new QueueFigures()));
    return figures;
  }

  register(name: string, gauges: { readonly depth: () => number; readonly unfinished: () => number[] }): void {
    this.#of(name).gauges = gauges;
  }

  unregister(name: string): void {
    this.#of(name).gauges = undefined;
  }

  added(name: string): void {
    this.#of(name).adds++;
  }

  retried(name: string): void {
    this.#of(name).retries++;
  }

  waited(name: string, seconds: number): void {
    this.#of(name).wait.observe(seconds);
  }

  worked(name: string, seconds: number): void {
    this.#of(name).work.observe(seconds);
  }

  /** Prometheus text exposition. */
  expose(): string {
    const out: string[] = [];
    const each = (metric: string, type: string, help: string, lines: (label: string, f: QueueFigures) => string[]) => {
      out.push(`# HELP ${metric} ${help}`, `# TYPE ${metric} ${type}`);
      for (const [name, figures] of this.#queues) out.push(...lines(`name=${JSON.stringify(name)}`, figures));
    };
    const value = (metric: string, type: string, help: string, of: (f: QueueFigures) => number) =>
      each(metric, type, help, (label, f) => [`${metric}{${label}} ${of(f)}`]);
    const histogram = (metric: string, help: string, of: (f: QueueFigures) => Histogram) =>
      each(metric, 'histogram', help, (label, f) => {
        const h = of(f);
        const buckets = BUCKETS.map((b, i) => `${metric}_bucket{${label},le="${b}"} ${h.counts[i]}`);
        return [...buckets, `${metric}_bucket{${label},le="+Inf"} ${h.count}`, `${metric}_sum{${label}} ${h.sum}`, `${metric}_count{${label}} ${h.count}`];
      });
    value('workqueue_depth', 'gauge', 'Keys that wait', (f) => f.gauges?.depth() ?? 0);
    value('workqueue_adds_total', 'counter', 'Keys added', (f) => f.adds);
    histogram('workqueue_queue_duration_seconds', 'How long keys wait', (f) => f.wait);
    histogram('workqueue_work_duration_seconds', 'How long keys are worked on', (f) => f.work);
    value('workqueue_unfinished_work_seconds', 'gauge', 'Work in progress, summed', (f) => f.gauges?.unfinished().reduce((a, b) => a + b, 0) ?? 0);
    value('workqueue_longest_running_processor_seconds', 'gauge', 'Work in progress, the longest', (f) => Math.max(0, ...(f.gauges?.unfinished() ?? [])));
    value('workqueue_retries_total', 'counter', 'Keys added again after a failure', (f) => f.retries);
    return `${out.join('\n')}\n`;
  }
}
