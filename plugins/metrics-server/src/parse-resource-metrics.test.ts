import { expect, it } from 'vitest';
import { parseResourceMetrics } from './parse-resource-metrics.js';

const text = `# HELP container_cpu_usage_seconds_total Cumulative cpu time
# TYPE container_cpu_usage_seconds_total counter
container_cpu_usage_seconds_total{container="web",namespace="default",pod="a"} 1.5 1700000000500
container_cpu_usage_seconds_total{container="side\\"car",namespace="default",pod="a"} 0.25 1700000000400
container_cpu_usage_seconds_total{container="only",namespace="x",pod="half"} 3 1700000000400
container_memory_working_set_bytes{container="web",namespace="default",pod="a"} 1.048576e+06 1700000000500
container_memory_working_set_bytes{container="side\\"car",namespace="default",pod="a"} 2048
container_start_time_seconds{container="web",namespace="default",pod="a"} 1.6999999e+09
node_cpu_usage_seconds_total 100.25 1700000001000
node_memory_working_set_bytes 4096 1700000001000
pod_cpu_usage_seconds_total{namespace="default",pod="a"} 1.75 1700000000500
something_else{x="y"} NaN
not a line of metrics
`;

it('reads nodes and containers, and leaves out pods of which something is missing', () => {
  const { node, pods } = parseResourceMetrics(text, 42);
  expect(node).toEqual({ startTime: 0, timestamp: 1_700_000_001_000, cpuSeconds: 100.25, memoryBytes: 4096 });
  expect([...pods.keys()]).toEqual(['default/a']);
  expect(Object.fromEntries(pods.get('default/a') ?? [])).toEqual({
    web: { startTime: 1_699_999_900_000, timestamp: 1_700_000_000_500, cpuSeconds: 1.5, memoryBytes: 1_048_576 },
    'side"car': { startTime: 0, timestamp: 1_700_000_000_400, cpuSeconds: 0.25, memoryBytes: 2048 },
  });
});

it('takes the time of reading where the kubelet gives none, and nothing from rubbish', () => {
  expect(parseResourceMetrics('node_cpu_usage_seconds_total 1\nnode_memory_working_set_bytes 2\n', 42).node).toMatchObject({ timestamp: 42 });
  expect(parseResourceMetrics('<html>', 42)).toEqual({ node: undefined, pods: new Map() });
});
