import type { MetricsBatch, MetricsPoint } from './metrics-point.js';

type Draft = { -readonly [K in keyof MetricsPoint]?: MetricsPoint[K] };

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? ([^ ]+)(?: (-?\d+))?$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g;

/**
 * A kubelet's /metrics/resource (Prometheus text). `now` stands in for timestamps a kubelet leaves out. What has no CPU counter, or
 * no memory, is left out: half an answer is worse than none.
 */
export function parseResourceMetrics(text: string, now: number): MetricsBatch {
  const node: Draft = {};
  const pods = new Map<string, Map<string, Draft>>();
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const match = LINE.exec(line);
    if (!match) continue;
    const [, name, labelText = '', valueText, timeText] = match;
    const value = Number(valueText);
    if (!Number.isFinite(value)) continue;
    const timestamp = timeText === undefined ? now : Number(timeText);
    switch (name) {
      case 'node_cpu_usage_seconds_total':
        node.cpuSeconds = value;
        node.timestamp = timestamp;
        break;
      case 'node_memory_working_set_bytes':
        node.memoryBytes = value;
        break;
      case 'container_cpu_usage_seconds_total':
      case 'container_memory_working_set_bytes':
      case 'container_start_time_seconds': {
        const container = containerOf(pods, labelText);
        if (!container) break;
        if (name === 'container_cpu_usage_seconds_total') {
          container.cpuSeconds = value;
          container.timestamp = timestamp;
        } else if (name === 'container_memory_working_set_bytes') container.memoryBytes = value;
        else container.startTime = value * 1000;
      }
    }
  }
  const whole = new Map<string, Map<string, MetricsPoint>>();
  for (const [pod, containers] of pods) {
    const points = [...containers].map(([name, draft]) => [name, pointOf(draft)] as const);
    // A pod that lacks a container would look smaller than it is.
    if (points.every((entry): entry is readonly [string, MetricsPoint] => entry[1] !== undefined)) whole.set(pod, new Map(points));
  }
  return { node: pointOf(node), pods: whole };
}

function containerOf(pods: Map<string, Map<string, Draft>>, labelText: string): Draft | undefined {
  const labels: Record<string, string> = {};
  for (const [, key = '', value = ''] of labelText.matchAll(LABEL)) labels[key] = value.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c));
  const { namespace, pod, container } = labels;
  if (!namespace || !pod || !container) return undefined;
  const key = `${namespace}/${pod}`;
  let containers = pods.get(key);
  if (!containers) pods.set(key, (containers = new Map()));
  let draft = containers.get(container);
  if (!draft) containers.set(container, (draft = {}));
  return draft;
}

function pointOf({ startTime = 0, timestamp, cpuSeconds, memoryBytes }: Draft): MetricsPoint | undefined {
  if (timestamp === undefined || cpuSeconds === undefined || memoryBytes === undefined) return undefined;
  return { startTime, timestamp, cpuSeconds, memoryBytes };
}
