import type { MetricSet } from '../stats/prometheus.js';
import type { ProbeManagerDeps } from './probe-manager.js';

/** Counts the answers of probes, for /metrics/probes. */
export function countProbes(metrics: MetricSet): NonNullable<ProbeManagerDeps['count']> {
  return (type, outcome, pod, container) => {
    const { name = '', namespace = '', uid = '' } = pod.metadata ?? {};
    metrics.add('prober_probe_total', 'Cumulative number of a liveness, readiness or startup probe for a container by result.', {
      probe_type: type[0]?.toUpperCase() + type.slice(1),
      result: outcome === 'success' || outcome === 'warning' ? 'successful' : outcome === 'failure' ? 'failed' : 'unknown',
      container,
      pod: name,
      namespace,
      pod_uid: uid,
    });
  };
}
