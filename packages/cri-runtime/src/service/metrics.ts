import { Cgroup, type CgroupDetails, type CgroupStats, type NetworkInterface } from '@coxswain/linux';
import { type LinuxContainerResources, MetricType } from '@coxswain/cri';
import type { Clock } from '@coxswain/sdk';
import type { ContainerRecord } from '../container/container-record.js';
import type { HostFacts } from '../container/host-facts.js';
import type { SandboxRecord } from '../sandbox/sandbox-record.js';
import { cgroupStats } from './cgroup-stats.js';
import type { Kind, Sample } from './metric-kind.js';
import { DEVICE_KINDS, type NamedDisk, namedDisks } from './metrics-devices.js';
import { FILESYSTEM_KINDS, SPEC_KINDS, type WritableFilesystem } from './metrics-spec.js';
import { podInterfaces } from './pod-interfaces.js';
import { type ProcessFacts, processFacts } from './process-facts.js';
import type { StatsReader } from './stats.js';

/** Of every sample, in this order: cAdvisor's. */
const BASE_LABELS = ['container', 'id', 'image', 'name', 'namespace', 'pod'] as const;

interface ContainerSource {
  readonly cgroup: CgroupStats;
  readonly facts: ProcessFacts;
  readonly details: CgroupDetails;
  readonly disks: readonly NamedDisk[];
  readonly resources: LinuxContainerResources | undefined;
  readonly filesystem: WritableFilesystem | undefined;
  /** Seconds since the epoch. */
  readonly started: number;
  readonly now: number;
}

const one = (value: number | undefined): Sample[] => (value === undefined ? [] : [{ value }]);

/** Names and meanings are cAdvisor's, since that is what dashboards and alerts ask for. CRI's values are whole numbers. */
const CONTAINER_KINDS: readonly Kind<ContainerSource>[] = [
  {
    name: 'container_cpu_usage_seconds_total',
    help: 'Cumulative cpu time consumed in seconds.',
    type: 'counter',
    labels: ['cpu'],
    samples: ({ cgroup }) => [{ labels: ['total'], value: cgroup.cpu.usageNanoseconds / 1e9 }],
  },
  {
    name: 'container_cpu_user_seconds_total',
    help: 'Cumulative user cpu time consumed in seconds.',
    type: 'counter',
    samples: ({ cgroup }) => one(cgroup.cpu.userNanoseconds / 1e9),
  },
  {
    name: 'container_cpu_system_seconds_total',
    help: 'Cumulative system cpu time consumed in seconds.',
    type: 'counter',
    samples: ({ cgroup }) => one(cgroup.cpu.systemNanoseconds / 1e9),
  },
  {
    name: 'container_cpu_cfs_periods_total',
    help: 'Number of elapsed enforcement period intervals.',
    type: 'counter',
    samples: ({ cgroup }) => one(cgroup.cpu.periods),
  },
  {
    name: 'container_cpu_cfs_throttled_seconds_total',
    help: 'Total time duration the container has been throttled.',
    type: 'counter',
    samples: ({ cgroup }) => one(cgroup.cpu.throttledNanoseconds / 1e9),
  },
  {
    name: 'container_cpu_cfs_throttled_periods_total',
    help: 'Number of throttled period intervals.',
    type: 'counter',
    samples: ({ cgroup }) => one(cgroup.cpu.throttledPeriods),
  },
  {
    name: 'container_memory_usage_bytes',
    help: 'Current memory usage in bytes, including all memory regardless of when it was accessed.',
    type: 'gauge',
    samples: ({ cgroup }) => one(cgroup.memory.usageBytes),
  },
  {
    name: 'container_memory_working_set_bytes',
    help: 'Current working set in bytes.',
    type: 'gauge',
    samples: ({ cgroup }) => one(cgroup.memory.workingSetBytes),
  },
  { name: 'container_memory_rss', help: 'Size of RSS in bytes.', type: 'gauge', samples: ({ cgroup }) => one(cgroup.memory.rssBytes) },
  {
    name: 'container_memory_cache',
    help: 'Number of bytes of page cache memory.',
    type: 'gauge',
    samples: ({ cgroup }) => one(cgroup.memory.cacheBytes),
  },
  {
    name: 'container_memory_mapped_file',
    help: 'Size of memory mapped files in bytes.',
    type: 'gauge',
    samples: ({ cgroup }) => one(cgroup.memory.mappedFileBytes),
  },
  { name: 'container_memory_swap', help: 'Container swap usage in bytes.', type: 'gauge', samples: ({ cgroup }) => one(cgroup.swap?.usageBytes) },
  {
    name: 'container_memory_failures_total',
    help: 'Cumulative count of memory allocation failures.',
    type: 'counter',
    labels: ['failure_type', 'scope'],
    samples: ({ cgroup }) => [
      { labels: ['pgfault', 'container'], value: cgroup.memory.pageFaults },
      { labels: ['pgmajfault', 'container'], value: cgroup.memory.majorPageFaults },
    ],
  },
  {
    name: 'container_oom_events_total',
    help: 'Count of out of memory events observed for the container.',
    type: 'counter',
    samples: ({ cgroup }) => one(cgroup.memory.oomKills),
  },
  {
    name: 'container_spec_memory_limit_bytes',
    help: 'Memory limit for the container, 0 if unlimited.',
    type: 'gauge',
    samples: ({ cgroup }) => one(cgroup.memory.limitBytes ?? 0),
  },
  {
    name: 'container_threads',
    help: 'Number of threads running inside the container.',
    type: 'gauge',
    samples: ({ cgroup }) => one(cgroup.pids.current),
  },
  {
    name: 'container_start_time_seconds',
    help: 'Start time of the container since unix epoch in seconds.',
    type: 'gauge',
    samples: ({ started }) => one(started),
  },
  { name: 'container_last_seen', help: 'Last time a container was seen by the exporter.', type: 'gauge', samples: ({ now }) => one(now) },
];

const SHORTAGES = { waiting: 'some', stalled: 'full' } as const;

/** PSI: seconds in which tasks waited for a resource, or all of them did. */
const pressure = (what: 'cpu' | 'memory' | 'io', how: keyof typeof SHORTAGES): Kind<ContainerSource> => ({
  name: `container_pressure_${what}_${how}_seconds_total`,
  help:
    how === 'waiting'
      ? `Total time duration tasks in the container have waited due to ${what} congestion.`
      : `Total time duration no tasks in the container could make progress due to ${what} congestion.`,
  type: 'counter',
  samples({ cgroup }) {
    const found = cgroup[what]?.pressure;
    return found ? [{ value: found[SHORTAGES[how]].total / 1e6 }] : [];
  },
});

const PRESSURE_KINDS = (['cpu', 'memory', 'io'] as const).flatMap((what) => (['waiting', 'stalled'] as const).map((how) => pressure(what, how)));

const network = (direction: 'receive' | 'transmit', what: 'bytes' | 'packets' | 'errors' | 'dropped'): Kind<readonly NetworkInterface[]> => {
  const noun = what === 'dropped' ? 'packets_dropped' : what;
  const participle = direction === 'receive' ? 'received' : 'transmitted';
  const doing = direction === 'receive' ? 'receiving' : 'transmitting';
  return {
    name: `container_network_${direction}_${noun}_total`,
    help: {
      bytes: `Cumulative count of bytes ${participle}.`,
      packets: `Cumulative count of packets ${participle}.`,
      errors: `Cumulative count of errors encountered while ${doing}.`,
      dropped: `Cumulative count of packets dropped while ${doing}.`,
    }[what],
    type: 'counter',
    labels: ['interface'],
    samples: (interfaces) => interfaces.map((i) => ({ labels: [i.name], value: (direction === 'receive' ? i.received : i.sent)[what] })),
  };
};

const POD_KINDS = (['receive', 'transmit'] as const).flatMap((direction) =>
  (['bytes', 'packets', 'errors', 'dropped'] as const).map((what) => network(direction, what)),
);

const ALL_OF_CONTAINER: readonly Kind<ContainerSource>[] = [...CONTAINER_KINDS, ...PRESSURE_KINDS, ...SPEC_KINDS, ...FILESYSTEM_KINDS, ...DEVICE_KINDS];

/** What CRI's metrics calls answer: fixed descriptors, and samples of every pod and running container. */
export class MetricsReader {
  constructor(
    private readonly facts: HostFacts,
    private readonly clock: Clock,
    private readonly stats: Pick<StatsReader, 'filesystem'>,
  ) {}

  descriptors() {
    return [...ALL_OF_CONTAINER, ...POD_KINDS].map(({ name, help, labels = [] }) => ({ name, help, labelKeys: [...BASE_LABELS, ...labels] }));
  }

  async pod(sandbox: SandboxRecord, containers: readonly ContainerRecord[]) {
    const [interfaces, containerMetrics] = await Promise.all([
      podInterfaces(sandbox, containers),
      Promise.all(containers.filter((c) => c.status.state === 'running').map((c) => this.#container(sandbox, c))),
    ]);
    const base = this.#base(sandbox, { container: 'POD', id: sandbox.id, image: '', name: sandbox.id });
    return {
      podSandboxId: sandbox.id,
      metrics: interfaces ? this.#samples(POD_KINDS, interfaces, base) : [],
      containerMetrics,
    };
  }

  async #container(sandbox: SandboxRecord, { meta, status }: ContainerRecord) {
    const { cgroups } = this.facts;
    const [cgroup, filesystem] = await Promise.all([cgroupStats(meta.cgroupsPath, cgroups), this.stats.filesystem(meta.id)]);
    const group = await Cgroup.at(meta.cgroupsPath, cgroups);
    const [details, facts] = await Promise.all([group.details(), group.processes().then(processFacts)]);
    const disks = await namedDisks(details.disks);
    const base = this.#base(sandbox, { container: meta.config.metadata?.name ?? '', id: meta.cgroupsPath, image: meta.imageRef, name: meta.id });
    // It may have ended since it was listed.
    const source = cgroup && {
      cgroup,
      details,
      disks,
      facts,
      filesystem,
      resources: meta.config.linux?.resources,
      started: Number(status.startedAt / 1_000_000_000n),
      now: Math.floor(this.clock.now() / 1000),
    };
    return { containerId: meta.id, metrics: source ? this.#samples(ALL_OF_CONTAINER, source, base) : [] };
  }

  #base({ config }: SandboxRecord, own: { container: string; id: string; image: string; name: string }): readonly string[] {
    const values = { ...own, namespace: config.metadata?.namespace ?? '', pod: config.metadata?.name ?? '' };
    return BASE_LABELS.map((label) => values[label]);
  }

  #samples<Source>(kinds: readonly Kind<Source>[], source: Source, base: readonly string[]) {
    const timestamp = BigInt(this.clock.now()) * 1_000_000n;
    return kinds.flatMap(({ name, type, samples }) =>
      samples(source).map(({ labels = [], value }) => ({
        name,
        timestamp,
        metricType: type === 'counter' ? MetricType.COUNTER : MetricType.GAUGE,
        labelValues: [...base, ...labels],
        value: { value: BigInt(Math.max(0, Math.floor(value))) },
      })),
    );
  }
}
