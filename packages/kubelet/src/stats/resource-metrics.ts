import type { Metric, Sample } from './prometheus.js';
import type { ClaimStats } from './pod-extras.js';
import type { Summary } from './summary.js';

const seconds = (nanoseconds: number) => nanoseconds / 1e9;
const at = (time: string | undefined) => (time === undefined ? {} : { timestamp: Date.parse(time) });

/** What /metrics/resource shows: the numbers metrics-server reads. */
export function resourceMetrics({ node, pods }: Summary): Metric[] {
  const containerCpu: Sample[] = [];
  const containerMemory: Sample[] = [];
  const containerStart: Sample[] = [];
  const podCpu: Sample[] = [];
  const podMemory: Sample[] = [];
  for (const pod of pods) {
    const of = { namespace: pod.podRef.namespace, pod: pod.podRef.name };
    if (pod.cpu?.usageCoreNanoSeconds !== undefined) podCpu.push({ labels: of, value: seconds(pod.cpu.usageCoreNanoSeconds), ...at(pod.cpu.time) });
    if (pod.memory?.workingSetBytes !== undefined) podMemory.push({ labels: of, value: pod.memory.workingSetBytes, ...at(pod.memory.time) });
    for (const c of pod.containers) {
      const labels = { container: c.name, ...of };
      containerStart.push({ labels, value: Date.parse(c.startTime) / 1000 });
      if (c.cpu?.usageCoreNanoSeconds !== undefined) containerCpu.push({ labels, value: seconds(c.cpu.usageCoreNanoSeconds), ...at(c.cpu.time) });
      if (c.memory?.workingSetBytes !== undefined) containerMemory.push({ labels, value: c.memory.workingSetBytes, ...at(c.memory.time) });
    }
  }
  return [
    {
      name: 'container_cpu_usage_seconds_total',
      help: 'Cumulative cpu time consumed by the container in core-seconds',
      type: 'counter',
      samples: containerCpu,
    },
    { name: 'container_memory_working_set_bytes', help: 'Current working set of the container in bytes', type: 'gauge', samples: containerMemory },
    { name: 'container_start_time_seconds', help: 'Start time of the container since unix epoch in seconds', type: 'gauge', samples: containerStart },
    {
      name: 'node_cpu_usage_seconds_total',
      help: 'Cumulative cpu time consumed by the node in core-seconds',
      type: 'counter',
      samples: node.cpu?.usageCoreNanoSeconds === undefined ? [] : [{ value: seconds(node.cpu.usageCoreNanoSeconds), ...at(node.cpu.time) }],
    },
    {
      name: 'node_memory_working_set_bytes',
      help: 'Current working set of the node in bytes',
      type: 'gauge',
      samples: node.memory?.workingSetBytes === undefined ? [] : [{ value: node.memory.workingSetBytes, ...at(node.memory.time) }],
    },
    { name: 'pod_cpu_usage_seconds_total', help: 'Cumulative cpu time consumed by the pod in core-seconds', type: 'counter', samples: podCpu },
    { name: 'pod_memory_working_set_bytes', help: 'Current working set of the pod in bytes', type: 'gauge', samples: podMemory },
    { name: 'resource_scrape_error', help: '1 if there was an error while getting container metrics, 0 otherwise', type: 'gauge', samples: [{ value: 0 }] },
  ];
}

/** The most used of cAdvisor's metrics, from what the runtime and the cgroups tell. */
export function cadvisorMetrics({ pods }: Summary): Metric[] {
  const cpu: Sample[] = [];
  const workingSet: Sample[] = [];
  const usage: Sample[] = [];
  const rss: Sample[] = [];
  const fs: Sample[] = [];
  const received: Sample[] = [];
  const sent: Sample[] = [];
  for (const pod of pods) {
    const of = { namespace: pod.podRef.namespace, pod: pod.podRef.name };
    for (const { name, rxBytes, txBytes } of pod.network?.interfaces ?? []) {
      const labels = { ...of, interface: name };
      if (rxBytes !== undefined) received.push({ labels, value: rxBytes, ...at(pod.network?.time) });
      if (txBytes !== undefined) sent.push({ labels, value: txBytes, ...at(pod.network?.time) });
    }
    for (const c of pod.containers) {
      const labels = { container: c.name, ...of };
      if (c.cpu?.usageCoreNanoSeconds !== undefined)
        cpu.push({ labels: { ...labels, cpu: 'total' }, value: seconds(c.cpu.usageCoreNanoSeconds), ...at(c.cpu.time) });
      if (c.memory?.workingSetBytes !== undefined) workingSet.push({ labels, value: c.memory.workingSetBytes, ...at(c.memory.time) });
      if (c.memory?.usageBytes !== undefined) usage.push({ labels, value: c.memory.usageBytes, ...at(c.memory.time) });
      if (c.memory?.rssBytes !== undefined) rss.push({ labels, value: c.memory.rssBytes, ...at(c.memory.time) });
      if (c.rootfs?.usedBytes !== undefined) fs.push({ labels, value: c.rootfs.usedBytes, ...at(c.rootfs.time) });
    }
  }
  return [
    { name: 'container_cpu_usage_seconds_total', help: 'Cumulative cpu time consumed in seconds.', type: 'counter', samples: cpu },
    { name: 'container_memory_working_set_bytes', help: 'Current working set in bytes.', type: 'gauge', samples: workingSet },
    {
      name: 'container_memory_usage_bytes',
      help: 'Current memory usage in bytes, including all memory regardless of when it was accessed',
      type: 'gauge',
      samples: usage,
    },
    { name: 'container_memory_rss', help: 'Size of RSS in bytes.', type: 'gauge', samples: rss },
    { name: 'container_fs_usage_bytes', help: 'Number of bytes that are consumed by the container on this filesystem.', type: 'gauge', samples: fs },
    { name: 'container_network_receive_bytes_total', help: 'Cumulative count of bytes received', type: 'counter', samples: received },
    { name: 'container_network_transmit_bytes_total', help: 'Cumulative count of bytes transmitted', type: 'counter', samples: sent },
  ];
}

/** How full the volumes of claims are, for /metrics. */
export function volumeMetrics(volumes: readonly ClaimStats[]): Metric[] {
  const gauge = (name: string, help: string, of: 'availableBytes' | 'capacityBytes' | 'usedBytes' | 'inodesFree' | 'inodes' | 'inodesUsed'): Metric => ({
    name: `kubelet_volume_stats_${name}`,
    help,
    type: 'gauge',
    samples: volumes.flatMap(({ pvcRef, ...stats }) => {
      const value = stats[of];
      return value === undefined ? [] : [{ labels: { namespace: pvcRef.namespace, persistentvolumeclaim: pvcRef.name }, value }];
    }),
  });
  return [
    gauge('available_bytes', 'Number of available bytes in the volume', 'availableBytes'),
    gauge('capacity_bytes', 'Capacity in bytes of the volume', 'capacityBytes'),
    gauge('inodes', 'Maximum number of inodes in the volume', 'inodes'),
    gauge('inodes_free', 'Number of free inodes in the volume', 'inodesFree'),
    gauge('inodes_used', 'Number of used inodes in the volume', 'inodesUsed'),
    gauge('used_bytes', 'Number of used bytes in the volume', 'usedBytes'),
  ];
}
