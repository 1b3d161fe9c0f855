import { Counter, exponentialBuckets, Gauge, Histogram, MetricRegistry } from '@coxswain/sdk';

export interface SchedulerGauges {
  readonly pending: () => { readonly active: number; readonly backoff: number; readonly unschedulable: number; readonly gated: number };
  readonly cache: () => { readonly nodes: number; readonly pods: number; readonly assumed: number };
}

/** kube-scheduler's metrics, under upstream's names. */
export class SchedulerMetrics {
  readonly registry = new MetricRegistry();
  readonly attempts = this.registry.register(new Counter('scheduler_schedule_attempts_total', 'Attempts to schedule pods, by result'));
  readonly attemptDuration = this.registry.register(
    new Histogram('scheduler_scheduling_attempt_duration_seconds', 'Scheduling attempt latency: algorithm and binding', exponentialBuckets(0.001, 2, 15)),
  );
  readonly algorithmDuration = this.registry.register(
    new Histogram('scheduler_scheduling_algorithm_duration_seconds', 'Scheduling algorithm latency', exponentialBuckets(0.001, 2, 15)),
  );
  readonly podAttempts = this.registry.register(
    new Histogram('scheduler_pod_scheduling_attempts', 'Attempts it took to schedule a pod', exponentialBuckets(1, 2, 5)),
  );
  readonly podDuration = this.registry.register(
    new Histogram('scheduler_pod_scheduling_sli_duration_seconds', 'From entering the queue to being scheduled', exponentialBuckets(0.01, 2, 20)),
  );
  readonly preemptionAttempts = this.registry.register(new Counter('scheduler_preemption_attempts_total', 'Preemption attempts'));
  readonly preemptionVictims = this.registry.register(new Histogram('scheduler_preemption_victims', 'Victims per preemption', exponentialBuckets(1, 2, 7)));
  readonly incoming = this.registry.register(new Counter('scheduler_queue_incoming_pods_total', 'Pods added to queues, by event and queue'));
  readonly extensionPoint = this.registry.register(
    new Histogram('scheduler_framework_extension_point_duration_seconds', 'Time of the slow extension points', exponentialBuckets(0.0001, 2, 12)),
  );

  constructor(gauges: SchedulerGauges) {
    this.registry.register(
      new Gauge('scheduler_pending_pods', 'Pods pending, by queue', () =>
        Object.entries(gauges.pending()).map(([queue, value]) => ({ labels: { queue }, value })),
      ),
    );
    this.registry.register(
      new Gauge('scheduler_cache_size', 'Nodes, pods and assumed pods in the cache', () => {
        const c = gauges.cache();
        return [
          { labels: { type: 'nodes' }, value: c.nodes },
          { labels: { type: 'pods' }, value: c.pods },
          { labels: { type: 'assumed_pods' }, value: c.assumed },
        ];
      }),
    );
  }
}
