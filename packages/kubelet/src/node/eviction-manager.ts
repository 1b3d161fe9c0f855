import type { Pod } from '@coxswain/api';
import { type DiskUsage, diskUsage, memoryUsage, taskCount } from '@coxswain/linux';
import type { Clock, Logger } from '@coxswain/sdk';
import type { KubeletEvents } from '../events.js';
import type { KubeletOptions } from '../options.js';
import type { PodVerdict } from '../status/pod-status.js';
import { crossedThresholds, evictionVerdict, type PodUsage, pressureOf, rankForEviction, type SignalReadings } from './eviction.js';
import { gracePeriodOf } from '../pod/pod-spec.js';
import type { EvictionSignal } from './eviction-signals.js';
import type { PressureFacts } from './node-object.js';

export interface EvictionManagerDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: KubeletEvents;
  readonly usage: (resource: 'memory' | 'disk') => Promise<PodUsage[]>;
  /** Frees disk by removing what nobody uses. */
  readonly reclaimDisk: () => Promise<void>;
  readonly evict: (uid: string, verdict: PodVerdict, graceSeconds: number) => void;
  readonly pressureChanged: () => void;
  /** Pods over a limit of their own on what they keep on the disk. */
  readonly overLocalLimits: () => Promise<readonly { readonly pod: Pod; readonly verdict: PodVerdict }[]>;
  /** Where the runtime keeps images; undefined: it does not say. */
  readonly imageFolder?: () => Promise<string | undefined>;
  readonly read?: () => Promise<SignalReadings>;
}

/** Watches what the node runs out of; one pod at a time makes room. */
export class EvictionManager {
  readonly #deps: EvictionManagerDeps;
  readonly #options: KubeletOptions;
  readonly #lastCrossed = new Map<EvictionSignal, number>();
  readonly #softSince = new Map<EvictionSignal, number>();
  #reclaiming: ReadonlySet<EvictionSignal> = new Set();
  #pressure: PressureFacts = { memory: false, disk: false, pids: false };

  constructor(deps: EvictionManagerDeps, options: KubeletOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  get pressure(): PressureFacts {
    return this.#pressure;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.check().catch((error: unknown) => this.#deps.logger.warn('checking for pressure failed', { err: error }));
      await this.#deps.clock.sleep(this.#options.evictionMonitorPeriodMs, signal).catch(() => {});
    }
  }

  async check(): Promise<void> {
    const { clock, events, usage, evict, reclaimDisk, pressureChanged } = this.#deps;
    const now = clock.monotonic();
    let crossed = await this.#crossed(now);
    for (const { signal } of crossed) this.#lastCrossed.set(signal, now);
    const pressed = [...this.#lastCrossed]
      .filter(([, at]) => now - at < this.#options.evictionPressureTransitionPeriodMs || crossed.some((c) => this.#lastCrossed.get(c.signal) === at))
      .map(([s]) => s);
    const next = pressureOf(pressed);
    for (const { pod, verdict } of await this.#deps.overLocalLimits()) {
      events.pod(pod, 'Warning', 'Evicted', verdict.message);
      evict(pod.metadata?.uid ?? '', verdict, 0);
    }
    if (JSON.stringify(next) !== JSON.stringify(this.#pressure)) {
      this.#pressure = next;
      pressureChanged();
    }
    if (crossed.some((c) => c.signal !== 'memory.available' && c.signal !== 'pid.available')) {
      await reclaimDisk();
      crossed = await this.#crossed(now);
    }
    this.#reclaiming = new Set(crossed.map((c) => c.signal));
    const first = crossed.sort(
      (a, b) => Number(b.signal === 'memory.available') - Number(a.signal === 'memory.available') || Number(a.soft) - Number(b.soft),
    )[0];
    if (!first) return;
    events.node('Warning', 'EvictionThresholdMet', `Attempting to reclaim ${first.signal.startsWith('memory') ? 'memory' : 'ephemeral-storage'}`);
    const pod = rankForEviction(first.signal, await usage(first.signal === 'memory.available' ? 'memory' : 'disk'));
    if (!pod) return;
    const verdict = evictionVerdict(first.signal, first.threshold, first.reading.available);
    events.pod(pod, 'Warning', 'Evicted', verdict.message);
    evict(pod.metadata?.uid ?? '', verdict, first.soft ? this.#softGrace(pod) : 0);
  }

  /** Hard thresholds that are crossed, and soft ones that were for as long as they may be. What is being reclaimed is, until the minimum was. */
  async #crossed(now: number) {
    const { evictionHard, evictionSoft, evictionSoftGracePeriodMs, evictionMinimumReclaim } = this.#options;
    const readings = await (this.#deps.read ?? (() => this.#readMachine()))();
    const reclaim = Object.fromEntries(Object.entries(evictionMinimumReclaim).filter(([signal]) => this.#reclaiming.has(signal as EvictionSignal)));
    const soft = crossedThresholds(readings, evictionSoft, reclaim);
    for (const signal of this.#softSince.keys()) if (!soft.some((c) => c.signal === signal)) this.#softSince.delete(signal);
    for (const { signal } of soft) if (!this.#softSince.has(signal)) this.#softSince.set(signal, now);
    return [
      ...crossedThresholds(readings, evictionHard, reclaim).map((c) => ({ ...c, soft: false })),
      ...soft.filter((c) => now - (this.#softSince.get(c.signal) ?? now) >= (evictionSoftGracePeriodMs[c.signal] ?? 0)).map((c) => ({ ...c, soft: true })),
    ];
  }

  #softGrace(pod: Pod): number {
    const most = this.#options.evictionMaxPodGracePeriodSeconds;
    return most < 0 ? gracePeriodOf(pod) : Math.min(most, gracePeriodOf(pod));
  }

  async #readMachine(): Promise<SignalReadings> {
    const imageFolder = (await this.#deps.imageFolder?.().catch(() => undefined)) ?? this.#options.rootDir;
    const [memory, disk, images, tasks] = await Promise.all([
      memoryUsage(),
      diskUsage(this.#options.rootDir),
      diskUsage(imageFolder).catch(() => diskUsage(this.#options.rootDir)),
      taskCount(),
    ]);
    return {
      'memory.available': { available: memory.availableBytes, capacity: memory.totalBytes },
      ...readingsOf('nodefs', disk),
      // Runtimes keep images and what containers write on one filesystem.
      ...readingsOf('imagefs', images),
      ...readingsOf('containerfs', images),
      ...(tasks.max > 0 ? { 'pid.available': { available: tasks.max - tasks.current, capacity: tasks.max } } : {}),
    };
  }
}

function readingsOf(name: 'nodefs' | 'imagefs' | 'containerfs', disk: DiskUsage): SignalReadings {
  return {
    [`${name}.available`]: { available: disk.availableBytes, capacity: disk.totalBytes },
    ...(disk.totalInodes > 0 ? { [`${name}.inodesFree`]: { available: disk.freeInodes, capacity: disk.totalInodes } } : {}),
  };
}
