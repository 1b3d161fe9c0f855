/** What was measured of a node or a container at one time. */
export interface MetricsPoint {
  /** Milliseconds since the epoch: when its CPU counter began at zero; 0 when unknown. */
  readonly startTime: number;
  /** Milliseconds since the epoch, of the CPU counter. */
  readonly timestamp: number;
  /** CPU used since it started, in core-seconds. */
  readonly cpuSeconds: number;
  /** Working set, in bytes. */
  readonly memoryBytes: number;
}

/** What one kubelet told. */
export interface MetricsBatch {
  readonly node: MetricsPoint | undefined;
  /** By `namespace/name`, then by container. */
  readonly pods: ReadonlyMap<string, ReadonlyMap<string, MetricsPoint>>;
}

export interface Usage {
  readonly timestamp: number;
  readonly windowMs: number;
  /** Cores, on average over the window. */
  readonly cpuCores: number;
  readonly memoryBytes: number;
}
