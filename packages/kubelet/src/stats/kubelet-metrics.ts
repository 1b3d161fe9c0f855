import { Gauge, Histogram, type Metric, MetricRegistry, ProcessMetrics } from '@coxswain/sdk';

/** Upstream's, in seconds. */
const START_BUCKETS = [0.5, 1, 2, 3, 4, 5, 6, 8, 10, 20, 30, 45, 60, 120, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600];

export interface KubeletCounts {
  /** Pods with a ready sandbox. */
  readonly runningPods: () => number;
  /** Containers by state: `running`, `exited`, … */
  readonly containers: () => ReadonlyMap<string, number>;
  readonly nodeName: string;
}

/** What `/metrics` shows, under upstream's names. */
export class KubeletMetrics {
  readonly registry = new MetricRegistry();
  readonly #podStart = this.registry.register(
    new Histogram(
      'kubelet_pod_start_duration_seconds',
      'Duration in seconds from kubelet seeing a pod for the first time to the pod starting to run',
      START_BUCKETS,
    ),
  );

  constructor(requests: Metric, { runningPods, containers, nodeName }: KubeletCounts) {
    const { registry } = this;
    registry.register(new Gauge('kubelet_running_pods', 'Number of pods that have a running pod sandbox', () => [{ value: runningPods() }]));
    registry.register(
      new Gauge('kubelet_running_containers', 'Number of containers, by state', () =>
        [...containers()].map(([container_state, value]) => ({ labels: { container_state }, value })),
      ),
    );
    registry.register(new Gauge('kubelet_node_name', "The node's name. The count is always 1.", () => [{ labels: { node: nodeName }, value: 1 }]));
    registry.register(requests);
    registry.register(new ProcessMetrics());
  }

  podStarted(milliseconds: number): void {
    this.#podStart.observe(milliseconds / 1000);
  }
}
