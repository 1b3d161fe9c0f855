import { mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CriError, type Mount } from '@coxswain/cri';
import {
  type ContainerDriver,
  type ContainerMeta,
  type ContainerRecord,
  type FoundContainer,
  type HostFacts,
  type PreparedRootfs,
  type ProcessExit,
  type ProcessState,
  type SandboxRecord,
  specResources,
} from '@coxswain/cri-runtime';
import { Cgroup } from '@coxswain/linux';
import type { RuntimeSpec, SpecMount, SpecResources } from '@coxswain/oci';
import type { Clock, Logger, Random } from '@coxswain/sdk';
import { killShimOf } from '../dockerd/engine-processes.js';
import type { Engine } from '../engine/engine.js';
import { ignoring, isEngineStatus } from '../engine/engine-error.js';
import type { ContainerInspect } from '../engine/engine-types.js';
import { containerFilter, containerOf } from '../labels.js';
import { LogFollower } from '../logs/log-follower.js';
import { engineName, withFreeName } from '../names.js';
import { nanoseconds } from '../times.js';
import { ImageMounts } from './image-mounts.js';
import { type DockerImage, dockerImage } from './docker-image.js';
import { engineConfig, engineResources, namedCapabilities } from './engine-config.js';

export interface DockerDriverOptions {
  readonly engine: Engine;
  /** Where log positions are kept over a rotation; does not survive reboots. */
  readonly logsDir: string;
  /** Where images are mounted that containers have as volumes; does not survive reboots. */
  readonly imageMountsDir: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** The machine lets us have every capability there is. */
  readonly allCapabilities: boolean;
  readonly facts: Pick<HostFacts, 'cgroups' | 'hugetlb' | 'swapAccounting'>;
  /** A container ended so early that its end was told before its start. */
  readonly onEnded: (id: string) => void;
}

const SIGKILL = 9;

/** Output that is on its way when a container has ended. */
const LOG_DRAIN_MS = 10_000;

/** Containers of the Docker Engine. Their labels say what they are, their state how they go: there is nothing of them on our disk. */
export class DockerDriver implements ContainerDriver<DockerImage> {
  readonly makesVolumes = true;
  readonly configOnly = true;
  readonly #unknownCapabilities = new Set<string>();
  readonly #logs = new Map<string, LogFollower>();

  readonly #imageMounts: ImageMounts;

  constructor(private readonly options: DockerDriverOptions) {
    this.#imageMounts = new ImageMounts(options.imageMountsDir, (reference) => this.image(reference));
  }

  async image(reference: string): Promise<DockerImage> {
    try {
      return dockerImage(await this.options.engine.images.inspect(reference));
    } catch (error) {
      if (isEngineStatus(error, 404)) throw new CriError('notFound', `image ${JSON.stringify(reference)} was not found`, { cause: error });
      throw error;
    }
  }

  async prepare(_id: string, image: DockerImage): Promise<PreparedRootfs> {
    return { layers: image.layers };
  }

  mountImages(id: string, mounts: readonly Mount[]): Promise<SpecMount[]> {
    return this.#imageMounts.make(id, mounts);
  }

  async create({ meta, spec, image, sandbox }: { meta: ContainerMeta; spec: RuntimeSpec; image: DockerImage; sandbox: SandboxRecord }): Promise<string> {
    const { engine, random } = this.options;
    const name = engineName(meta.config.metadata, sandbox.config.metadata);
    for (;;) {
      const { allCapabilities } = this.options;
      const config = engineConfig({ meta, spec, sandbox, imageId: image.id, engine: { allCapabilities, unknownCapabilities: this.#unknownCapabilities } });
      try {
        return (await withFreeName(name, random, (free) => engine.containers.create(free, config))).Id;
      } catch (error) {
        // The only way to learn which capabilities are newer than the engine.
        const unknown = isEngineStatus(error, 400) ? /unknown capability: "(\w+)"/.exec(error.message)?.[1] : undefined;
        if (unknown === undefined || this.#unknownCapabilities.has(unknown) || namedCapabilities(meta).has(unknown)) throw error;
        this.#unknownCapabilities.add(unknown);
      }
    }
  }

  /** The engine makes a container whole or not at all. */
  async discard(id: string, imageMounts: number): Promise<void> {
    if (imageMounts > 0) await this.#imageMounts.release(id);
  }

  async start(record: ContainerRecord, created: (pid: number) => Promise<void>): Promise<void> {
    const { engine, onEnded } = this.options;
    const { id, logPath } = record.meta;
    if (logPath !== '') {
      await mkdir(dirname(logPath), { recursive: true, mode: 0o755 });
      // There once the container runs, as those who follow it at once expect, though nothing has been copied yet.
      await (await open(logPath, 'a', 0o640)).close();
    }
    await engine.containers.start(id);
    try {
      await this.#limitHugePages(record.meta, this.#hugePages(record.meta));
    } catch (error) {
      await engine.containers.kill(id, SIGKILL).catch(ignoring(404, 409));
      throw error;
    }
    const { State } = await engine.containers.inspect(id);
    await created(State.Pid);
    this.#follow(record.meta);
    // Its end may have been told when nobody knew yet that it runs.
    if (!State.Running || !(await engine.containers.inspect(id)).State.Running) onEnded(id);
  }

  async kill(record: ContainerRecord, signal: number): Promise<boolean> {
    try {
      await this.options.engine.containers.kill(record.meta.id, signal);
      return true;
    } catch (error) {
      // 409: it does not run.
      if (isEngineStatus(error, 404, 409)) return false;
      throw error;
    }
  }

  async observe(record: ContainerRecord): Promise<ProcessState> {
    const found = await this.inspect(record.meta.id);
    return found ? processState(found) : { state: 'none' };
  }

  async collect(record: ContainerRecord): Promise<ProcessExit | undefined> {
    const { id } = record.meta;
    const found = await this.inspect(id);
    await this.#finishLog(id);
    if (!found) return undefined;
    const { ExitCode, FinishedAt, OOMKilled } = found.State;
    return { exitCode: ExitCode, finishedAt: nanoseconds(FinishedAt), ...(OOMKilled ? { oomKilled: true } : {}) };
  }

  async lost(record: ContainerRecord): Promise<void> {
    await this.#logs.get(record.meta.id)?.stop();
    this.#logs.delete(record.meta.id);
  }

  async remove(record: ContainerRecord): Promise<void> {
    await this.lost(record);
    await this.purge(record.meta.id);
  }

  async purge(id: string): Promise<void> {
    const { engine, clock } = this.options;
    const found = await this.inspect(id);
    // 409: somebody is removing it. Then it is gone soon.
    for (let tries = 0; ; tries++) {
      try {
        await engine.containers.remove(id).catch(ignoring(404));
        break;
      } catch (error) {
        if (!isEngineStatus(error, 409) || tries >= 50) throw error;
        await clock.sleep(100);
      }
    }
    await killShimOf(id, clock);
    for (const key of this.#imageMounts.keysIn(sourcesOf(found))) await this.#imageMounts.release(key);
  }

  async recover(): Promise<FoundContainer[]> {
    const { engine } = this.options;
    const out: FoundContainer[] = [];
    const mounted: string[] = [];
    for (const { Id, Labels } of await engine.containers.list(containerFilter)) {
      const meta = containerOf(Id, Labels);
      const found = await this.inspect(Id);
      mounted.push(...sourcesOf(found));
      if (!meta || !found) continue;
      limitsNow(meta, found);
      const startedAt = nanoseconds(found.State.StartedAt);
      out.push({ meta, process: processState(found), ...(startedAt > 0n ? { startedAt } : {}) });
    }
    await this.#imageMounts.keepOnly(this.#imageMounts.keysIn(mounted));
    return out;
  }

  async adopt(record: ContainerRecord): Promise<void> {
    this.#follow(record.meta);
  }

  async undoStart(): Promise<void> {
    // The engine starts a container in one step.
  }

  async detach(record: ContainerRecord): Promise<void> {
    await this.#logs.get(record.meta.id)?.stop();
  }

  async save(): Promise<void> {
    // What can change are limits, and those the engine has.
  }

  async update(record: ContainerRecord, resources: SpecResources): Promise<void> {
    await this.updateCreated(record, resources);
    await this.#limitHugePages(record.meta, resources.hugepageLimits ?? []);
  }

  /** Pages of huge size are limited once it runs. */
  async updateCreated(record: ContainerRecord, resources: SpecResources): Promise<void> {
    await this.options.engine.containers.update(record.meta.id, engineResources(resources));
  }

  #hugePages({ config }: ContainerMeta): NonNullable<SpecResources['hugepageLimits']> {
    const { facts } = this.options;
    return specResources(config.linux?.resources, { hugetlb: facts.hugetlb, swap: facts.swapAccounting }).hugepageLimits ?? [];
  }

  /** The engine has no word for them, but its containers' control groups are where we said: set as soon as there is one. */
  async #limitHugePages({ cgroupsPath }: ContainerMeta, limits: NonNullable<SpecResources['hugepageLimits']>): Promise<void> {
    if (limits.length === 0) return;
    const group = await Cgroup.at(cgroupsPath, this.options.facts.cgroups);
    try {
      await group.setLimits({ hugepages: limits.map(({ pageSize, limit }) => ({ pageSize, bytes: limit })) });
    } catch (error) {
      // The container has ended already, or the machine has no pages of this size, as the engine's neighbours leave them unlimited too.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  async reopenLog(record: ContainerRecord): Promise<void> {
    await this.#logs.get(record.meta.id)?.reopen();
  }

  /** The folder that holds what a container wrote. */
  async upper(id: string): Promise<string | undefined> {
    return (await this.inspect(id))?.GraphDriver.Data?.['UpperDir'];
  }

  /** Undefined: there is no such container. */
  inspect(id: string): Promise<ContainerInspect | undefined> {
    return this.options.engine.containers.inspect(id).catch(ignoring(404));
  }

  #follow(meta: ContainerMeta): void {
    const { engine, logsDir, clock, logger } = this.options;
    if (meta.logPath === '') return;
    const running = async () => (await this.inspect(meta.id))?.State.Running === true;
    const follower = new LogFollower({ engine, id: meta.id, tty: meta.config.tty, path: meta.logPath, positions: logsDir, running, clock, logger });
    this.#logs.set(meta.id, follower);
    follower.start();
  }

  async #finishLog(id: string): Promise<void> {
    const { clock, logger } = this.options;
    const follower = this.#logs.get(id);
    if (!follower) return;
    let cancel = () => {};
    const late = new Promise<'late'>((resolve) => (cancel = clock.setTimeout(() => resolve('late'), LOG_DRAIN_MS)));
    if ((await Promise.race([follower.finished, late])) === 'late') logger.warn('the log of an ended container does not end', { container: id });
    cancel();
    await follower.stop();
    this.#logs.delete(id);
  }
}

const sourcesOf = (found: ContainerInspect | undefined): string[] => (found?.Mounts ?? []).map(({ Source = '' }) => Source);

function processState({ State }: ContainerInspect): ProcessState {
  if (State.Running) return { state: 'running', pid: State.Pid };
  return State.Status === 'created' ? { state: 'none' } : { state: 'stopped', pid: State.Pid };
}

/** Limits that were changed after the labels were written. */
function limitsNow(meta: ContainerMeta, { HostConfig }: ContainerInspect): void {
  const resources = meta.config.linux?.resources;
  if (!resources) return;
  Object.assign(resources, {
    cpuShares: BigInt(HostConfig.CpuShares),
    cpuPeriod: BigInt(HostConfig.CpuPeriod),
    cpuQuota: BigInt(HostConfig.CpuQuota),
    cpusetCpus: HostConfig.CpusetCpus,
    cpusetMems: HostConfig.CpusetMems,
    memoryLimitInBytes: BigInt(HostConfig.Memory),
  });
}
