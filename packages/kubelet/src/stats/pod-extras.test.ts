import { expect, it } from 'vitest';
import { formatMetrics } from './prometheus.js';
import { claimStats, podNetworks } from './pod-extras.js';
import { cadvisorMetrics, volumeMetrics } from './resource-metrics.js';
import type { PodSummary, Summary } from './summary.js';

const TIME = '2026-01-01T00:00:00.000Z';
const summaryOf = (more: Partial<PodSummary>): Summary => ({
  node: { nodeName: 'n', startTime: TIME },
  pods: [{ podRef: { name: 'web', namespace: 'shop', uid: 'u' }, startTime: TIME, containers: [], ...more }],
});

it('volumes of claims are measured, others are not', async () => {
  const pod = {
    metadata: { name: 'web', namespace: 'shop' },
    spec: {
      containers: [],
      volumes: [
        { name: 'data', persistentVolumeClaim: { claimName: 'web-data' } },
        { name: 'own', ephemeral: {} },
        { name: 'tmp', emptyDir: {} },
        { name: 'late', persistentVolumeClaim: { claimName: 'late' } },
      ],
    },
  };
  const mounted = ['data', 'own', 'tmp'].map((name) => ({ name, path: `/pods/${name}` }));
  const usage = async (path: string) => ({ totalBytes: 100, availableBytes: 60, usedBytes: 40, totalInodes: 10, freeInodes: path.endsWith('own') ? 3 : 4 });
  const volume = await claimStats(pod as never, mounted, TIME, usage);
  expect(volume).toEqual([
    {
      name: 'data',
      pvcRef: { name: 'web-data', namespace: 'shop' },
      time: TIME,
      availableBytes: 60,
      capacityBytes: 100,
      usedBytes: 40,
      inodesFree: 4,
      inodes: 10,
      inodesUsed: 6,
    },
    expect.objectContaining({ name: 'own', pvcRef: { name: 'web-own', namespace: 'shop' }, inodesUsed: 7 }),
  ]);
  const text = formatMetrics(volumeMetrics(volume));
  expect(text).toContain('kubelet_volume_stats_available_bytes{namespace="shop",persistentvolumeclaim="web-data"} 60\n');
  expect(text).toContain('kubelet_volume_stats_inodes_used{namespace="shop",persistentvolumeclaim="web-own"} 7\n');
});

it('tells what went over the network, by pod', async () => {
  const eth0 = { name: 'eth0', rxBytes: { value: 7n }, txBytes: { value: 9n } };
  const stats = [
    {
      attributes: { labels: { 'io.kubernetes.pod.uid': 'u' } },
      linux: { network: { timestamp: BigInt(Date.parse(TIME)) * 1_000_000n, defaultInterface: eth0, interfaces: [eth0] } },
    },
    { attributes: { labels: { 'io.kubernetes.pod.uid': 'host' } }, linux: {} },
  ];
  const networks = await podNetworks({ listPodSandboxStats: async () => ({ stats }) } as never);
  const network = { time: TIME, name: 'eth0', rxBytes: 7, txBytes: 9, interfaces: [{ name: 'eth0', rxBytes: 7, txBytes: 9 }] };
  expect([...networks]).toEqual([['u', network]]);
  expect(formatMetrics(cadvisorMetrics(summaryOf({ network })))).toContain(
    `container_network_receive_bytes_total{namespace="shop",pod="web",interface="eth0"} 7 ${Date.parse(TIME)}\n`,
  );
  const refuses = async () => {
    throw new Error('unimplemented');
  };
  expect([...(await podNetworks({ listPodSandboxStats: refuses } as never))]).toEqual([]);
});
