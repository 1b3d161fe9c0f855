import { type CgroupStats, diskUsage, mounts, type Pressure } from '@coxswain/linux';
import type { Clock } from '@coxswain/sdk';
import type { ContainerRecord } from '../container/container-record.js';
import type { HostFacts } from '../container/host-facts.js';
import type { SandboxRecord } from '../sandbox/sandbox-record.js';
import { coveringMount } from '../container/mounts.js';
import { cgroupStats } from './cgroup-stats.js';
import type { WritableFilesystem } from './metrics-spec.js';
import { podInterfaces } from './pod-interfaces.js';

const uint = (value: number) => ({ value: BigInt(Math.max(0, Math.round(value))) });

const psi = (pressure: Pressure | undefined) => {
  const line = ({ total, avg10, avg60, avg300 }: Pressure['some']) => ({ Total: BigInt(total), Avg10: avg10, Avg60: avg60, Avg300: avg300 });
  return pressure ? { psi: { Some: line(pressure.some), Full: line(pressure.full) } } : {};
};

const swapUsage = (swap: CgroupStats['swap'], timestamp: bigint) =>
  swap
    ? {
        swap: {
          timestamp,
          swapUsageBytes: uint(swap.usageBytes),
          ...(swap.limitBytes === undefined ? {} : { swapAvailableBytes: uint(swap.limitBytes - swap.usageBytes) }),
        },
      }
    : {};

/** What a container's writable layer takes. */
export interface LayerUsage {
  /** Bytes. */
  readonly size: bigint;
  readonly inodes: bigint;
}

/** Resource usage of containers and pods, from control groups, writable layers and the pods' interfaces. */
export class StatsReader {
  #device: Promise<string> | undefined;
  readonly #cpu = new Map<string, { at: number; usage: number; nanoCores: number }>();

  constructor(
    private readonly writable: (containerId: string) => Promise<LayerUsage | undefined>,
    private readonly facts: HostFacts,
    private readonly clock: Clock,
    private readonly mountpoint: string,
  ) {}

  async container(record: ContainerRecord) {
    const { meta } = record;
    const timestamp = this.#now();
    const attributes = {
      id: meta.id,
      ...(meta.config.metadata ? { metadata: meta.config.metadata } : {}),
      labels: meta.config.labels,
      annotations: meta.config.annotations,
    };
    const [cgroup, writable] = await Promise.all([
      record.status.state === 'running' ? cgroupStats(meta.cgroupsPath, this.facts.cgroups) : undefined,
      this.writable(meta.id),
    ]);
    return {
      attributes,
      ...(cgroup ? { ...this.#usage(meta.id, cgroup, timestamp), ...swapUsage(cgroup.swap, timestamp) } : {}),
      ...(writable
        ? { writableLayer: { timestamp, fsId: { mountpoint: this.mountpoint }, usedBytes: { value: writable.size }, inodesUsed: { value: writable.inodes } } }
        : {}),
    };
  }

  async sandbox(sandbox: SandboxRecord, containers: readonly ContainerRecord[]) {
    const timestamp = this.#now();
    const { config } = sandbox;
    const attributes = { id: sandbox.id, ...(config.metadata ? { metadata: config.metadata } : {}), labels: config.labels, annotations: config.annotations };
    const parent = config.linux?.cgroupParent;
    const [all, cgroup, network] = await Promise.all([
      Promise.all(containers.filter((c) => c.status.state === 'running').map((c) => this.container(c))),
      parent ? cgroupStats(parent, this.facts.cgroups) : undefined,
      this.#network(sandbox, containers, timestamp),
    ]);
    return {
      attributes,
      linux: {
        ...(cgroup ? { ...this.#usage(sandbox.id, cgroup, timestamp), process: { timestamp, processCount: uint(cgroup.pids.current) } } : {}),
        ...(network ? { network } : {}),
        containers: all,
      },
    };
  }

  /** What a container's writable layer takes of which file system. */
  async filesystem(containerId: string): Promise<WritableFilesystem | undefined> {
    this.#device ??= mounts().then(
      (all) => coveringMount(this.mountpoint, all)?.source ?? '',
      () => '',
    );
    const [used, disk, device] = await Promise.all([this.writable(containerId), diskUsage(this.mountpoint).catch(() => undefined), this.#device]);
    return used && disk && { used, disk, device };
  }

  forget(id: string): void {
    this.#cpu.delete(id);
  }

  #usage(id: string, stats: CgroupStats, timestamp: bigint) {
    const { memory, cpu, io } = stats;
    return {
      cpu: {
        timestamp,
        usageCoreNanoSeconds: uint(cpu.usageNanoseconds),
        usageNanoCores: uint(this.#nanoCores(id, cpu.usageNanoseconds)),
        ...psi(cpu.pressure),
      },
      memory: {
        timestamp,
        workingSetBytes: uint(memory.workingSetBytes),
        ...(memory.limitBytes === undefined ? {} : { availableBytes: uint(memory.limitBytes - memory.workingSetBytes) }),
        usageBytes: uint(memory.usageBytes),
        rssBytes: uint(memory.rssBytes),
        pageFaults: uint(memory.pageFaults),
        majorPageFaults: uint(memory.majorPageFaults),
        ...psi(memory.pressure),
      },
      ...(io ? { io: { timestamp, ...psi(io.pressure) } } : {}),
    };
  }

  /** Rate since the last look; a look within a second of the last repeats its answer. */
  #nanoCores(id: string, usage: number): number {
    const at = this.clock.monotonic();
    const last = this.#cpu.get(id);
    if (last && at - last.at < 1000) return last.nanoCores;
    const nanoCores = last ? ((usage - last.usage) / (at - last.at)) * 1000 : 0;
    this.#cpu.set(id, { at, usage, nanoCores });
    return nanoCores;
  }

  async #network(sandbox: SandboxRecord, containers: readonly ContainerRecord[], timestamp: bigint) {
    const found = await podInterfaces(sandbox, containers);
    if (!found) return undefined;
    const interfaces = found.map(({ name, received, sent }) => ({
      name,
      rxBytes: uint(received.bytes),
      rxErrors: uint(received.errors),
      txBytes: uint(sent.bytes),
      txErrors: uint(sent.errors),
    }));
    const main = interfaces.find((i) => i.name === 'eth0') ?? interfaces[0];
    return { timestamp, ...(main ? { defaultInterface: main } : {}), interfaces };
  }

  #now(): bigint {
    return BigInt(this.clock.now()) * 1_000_000n;
  }
}
