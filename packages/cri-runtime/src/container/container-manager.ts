import { posix } from 'node:path';
import {
  type ContainerConfig,
  ContainerEventType,
  CriError,
  NamespaceMode,
  type PodSandboxConfig,
  SupplementalGroupsPolicy,
  byIdOrPrefix,
  newId,
} from '@coxswain/cri';
import { Cgroup } from '@coxswain/linux';
import type { ImageConfig } from '@coxswain/oci';
import type { Clock, Logger, Random } from '@coxswain/sdk';
import { cdiEdits } from '../cdi/cdi-devices.js';
import { beyondConfig, configWithCdi, injectCdi } from '../cdi/inject-cdi.js';
import { sandboxHostname, sandboxMounts } from '../sandbox/sandbox-files.js';
import type { SandboxManager } from '../sandbox/sandbox-manager.js';
import { podUsers, type SandboxRecord } from '../sandbox/sandbox-record.js';
import { checkContainerUsers } from '../sandbox/user-mappings.js';
import { KeyedMutex } from '../util/mutex.js';
import type { ContainerDriver, RuntimeImage } from './container-driver.js';
import { type ContainerMeta, type ContainerRecord, createdStatus, newContainer } from './container-record.js';
import type { HostFacts } from './host-facts.js';
import { ImageAccounts } from './image-accounts.js';
import { stopSignalOf } from './signals.js';
import { checkMountMappings, type MappedMounts } from './mapped-mounts.js';
import { checkImageMounts } from './mounts.js';
import { containerSpec } from './spec.js';
import { StatusFiles } from './status-files.js';
import { keepNull, ownStdio } from './stdio-owners.js';
import { type ResolvedUser, resolveUser } from './user.js';
import { declaredVolumes } from './volumes.js';

const SIGKILL = 9;
/** How long an end after SIGKILL is waited for: a busy machine takes its time for many at once. Less than a kubelet waits for the answer. */
const KILL_WAIT_MS = 100_000;
const KILL_LOOK_MS = 2000;
/** Upstream's exit codes: a start that failed, and an end nobody saw. */
const START_ERROR_CODE = 128;
const UNKNOWN_CODE = 255;

export interface ContainerManagerOptions<Image extends RuntimeImage = RuntimeImage> {
  readonly driver: ContainerDriver<Image>;
  readonly sandboxes: SandboxManager;
  /** Survives reboots: status files, volumes. */
  readonly rootDir: string;
  readonly facts: HostFacts;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** For pods with user namespaces, where they can have them. */
  readonly mapped?: MappedMounts;
  /** Where CDI specifications are. Default: `CDI_FOLDERS`. */
  readonly cdiFolders?: readonly string[];
  /** Annotations of every container's specification. */
  readonly annotations?: (sandbox: SandboxRecord) => Readonly<Record<string, string>>;
  /** Told of every change, after it has been recorded. */
  readonly onEvent: (containerId: string, sandboxId: string, type: ContainerEventType) => void;
}

/**
 * The life of containers as CRI sees it: names, states, stopping, exit codes and reasons, over a driver that has the processes.
 * What a container is, the driver keeps; how it goes lies in a small file of ours, and a restart finds both.
 */
export class ContainerManager<Image extends RuntimeImage = RuntimeImage> {
  readonly #containers = new Map<string, ContainerRecord>();
  readonly #names = new Map<string, string>();
  readonly #locks = new KeyedMutex();
  readonly #accounts = new ImageAccounts();
  readonly #files: StatusFiles;

  constructor(private readonly options: ContainerManagerOptions<Image>) {
    this.#files = new StatusFiles(options.rootDir, options.clock, options.logger);
  }

  all(): ContainerRecord[] {
    return [...this.#containers.values()];
  }

  ofSandbox(sandboxId: string): ContainerRecord[] {
    return this.all().filter((c) => c.meta.sandboxId === sandboxId);
  }

  find(id: string): ContainerRecord | undefined {
    return byIdOrPrefix(this.#containers, id);
  }

  require(id: string): ContainerRecord {
    const container = this.find(id);
    if (!container) throw new CriError('notFound', `an error occurred when try to find container ${JSON.stringify(id)}: not found`);
    return container;
  }

  requireRunning(id: string): ContainerRecord {
    const container = this.require(id);
    if (container.status.state !== 'running') throw new CriError('unknown', `container is in ${criStateName(container)} state`);
    return container;
  }

  async create(sandbox: SandboxRecord, asked: ContainerConfig, sandboxConfig: PodSandboxConfig | undefined): Promise<ContainerRecord> {
    const { driver, sandboxes, facts, clock, random, onEvent, annotations, cdiFolders, mapped } = this.options;
    const names = asked.CDIDevices.map((d) => d.name);
    const cdi = names.length > 0 ? await cdiEdits(names, cdiFolders) : undefined;
    const unsaid = cdi && driver.configOnly ? beyondConfig(cdi) : undefined;
    if (unsaid) throw new CriError('unknown', `CDI device injection failed: this runtime cannot apply what ${names.join(', ')} ask for: ${unsaid}`);
    const config = cdi ? configWithCdi(asked, cdi) : asked;
    if (!config.metadata?.name) throw new CriError('invalidArgument', 'the container config must have metadata with a name');
    if (!config.image?.image) throw new CriError('invalidArgument', 'the container config must name an image');
    if (sandbox.state !== 'ready') throw new CriError('unknown', `sandbox container ${JSON.stringify(sandbox.id)} is not running`);
    const podLogs = sandboxConfig?.logDirectory || sandbox.config.logDirectory;
    const security = config.linux?.securityContext;
    if (security?.privileged && !(sandboxConfig ?? sandbox.config).linux?.securityContext?.privileged)
      throw new CriError('unknown', 'no privileged container allowed in sandbox');
    const users = podUsers(sandbox);
    checkContainerUsers(security?.namespaceOptions, users);
    checkImageMounts(config.mounts);
    checkMountMappings(config.mounts, users);
    const name = nameOf(config, sandbox.id);
    const owner = this.#names.get(name);
    if (owner) throw new CriError('unknown', `failed to reserve container name ${JSON.stringify(name)}: name is reserved for ${JSON.stringify(owner)}`);
    const id = newId(random);
    this.#names.set(name, id);
    const dir = this.#files.dir(id);
    try {
      const image = await driver.image(config.image.image);
      const imageConfig: ImageConfig = image.config.config ?? {};
      const [rootfs, pid] = await Promise.all([driver.prepare(id, image, users), this.#pidNamespace(sandbox, config), this.#files.make(id)]);
      const user = await this.#user(config, image.id, imageConfig, rootfs.layers);
      const [volumes, images] = await Promise.all([
        driver.makesVolumes ? [] : declaredVolumes(imageConfig.Volumes, dir, rootfs.layers, users),
        imageMountCount(config) > 0 ? driver.mountImages(id, config.mounts, users) : [],
      ]);
      await this.#nameMountedImages(config);
      const { net, ipc, uts } = sandbox.namespaces;
      const cgroupsPath = sandboxes.cgroupsPath(sandbox, id);
      const readonly = security?.readonlyRootfs ?? false;
      const spec = await containerSpec({
        id,
        config,
        image: imageConfig,
        user,
        namespaces: {
          ...(net ? { network: net } : {}),
          ...(ipc ? { ipc } : {}),
          ...(uts ? { uts } : {}),
          ...(pid ? { pid } : {}),
          ...(users ? { user: users } : {}),
        },
        hostname: sandboxHostname(sandbox.config),
        cgroupsPath,
        sandboxMounts: sandboxMounts(sandboxes.filesDir(sandbox), sandboxes.shmPath(sandbox), readonly),
        extraMounts: [...volumes, ...images],
        annotations: {
          ...annotations?.(sandbox),
          'io.kubernetes.cri.container-type': 'container',
          'io.kubernetes.cri.container-name': config.metadata.name,
        },
        facts,
        ...(mapped ? { mappedPath: (index: number) => mapped.path(id, index) } : {}),
        ...(rootfs.path === undefined ? {} : { rootfs: rootfs.path }),
      });
      if (cdi) injectCdi(spec, cdi);
      const draft: ContainerMeta = {
        id,
        sandboxId: sandbox.id,
        config,
        logPath: config.logPath && podLogs ? posix.join(podLogs, config.logPath) : '',
        imageId: image.id,
        imageRef: image.digests[0] ?? image.id,
        user,
        stopSignal: imageConfig.StopSignal ?? '',
        cgroupsPath,
        createdAt: BigInt(clock.now()) * 1_000_000n,
      };
      const given = await driver.create({ meta: draft, spec, image, sandbox });
      const meta = given === id ? draft : { ...draft, id: given, cgroupsPath: sandboxes.cgroupsPath(sandbox, given) };
      if (given !== id) {
        await this.#files.remove(id);
        await this.#files.make(given);
        this.#names.set(name, given);
      }
      const record = newContainer(meta, createdStatus());
      this.#containers.set(given, record);
      onEvent(given, sandbox.id, ContainerEventType.CONTAINER_CREATED_EVENT);
      return record;
    } catch (error) {
      this.#names.delete(name);
      await driver.discard(id, imageMountCount(config)).catch(() => {});
      await this.#files.remove(id);
      throw error;
    }
  }

  start(record: ContainerRecord): Promise<void> {
    const { driver, sandboxes, clock, onEvent, mapped, logger } = this.options;
    const { id, sandboxId, user, config } = record.meta;
    return this.#locks.run(id, async () => {
      if (record.status.state !== 'created') throw new CriError('unknown', `container ${JSON.stringify(id)} is in ${criStateName(record)} state`);
      if (record.removing) throw new CriError('unknown', `container ${JSON.stringify(id)} is being removed`);
      const sandbox = sandboxes.require(sandboxId);
      if (sandbox.state !== 'ready') throw new CriError('unknown', `sandbox container ${JSON.stringify(sandboxId)} is not running`);
      const users = podUsers(sandbox);
      const created = (pid: number) => {
        keepNull();
        if (users) ownStdio(pid, user, users);
        // Running before it runs: its end may be seen before the answer.
        Object.assign(record.status, { state: 'running', pid, startedAt: BigInt(clock.now()) * 1_000_000n });
        return this.#files.save(record);
      };
      try {
        if (users) await mapped?.make(id, config.mounts, users);
        await driver.start(record, created, users);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        const now = BigInt(clock.now()) * 1_000_000n;
        Object.assign(record.status, {
          state: 'exited',
          startedAt: now,
          finishedAt: now,
          exitCode: START_ERROR_CODE,
          reason: 'StartError',
          message: `failed to start container ${JSON.stringify(id)}: ${message}`,
        });
        await this.#files.keep(record);
        record.markExited();
        throw new CriError('unknown', `failed to start container: ${message}`, { cause: error });
      } finally {
        if (users) await mapped?.release(id).catch((error: unknown) => logger.warn('unmounting mapped volumes failed', { err: error, container: id }));
      }
      onEvent(id, sandboxId, ContainerEventType.CONTAINER_STARTED_EVENT);
    });
  }

  /** Signal, wait, kill. A container that does not run is left alone. `timeoutSeconds` 0: kill at once. */
  async stop(record: ContainerRecord, timeoutSeconds: number, signal?: AbortSignal): Promise<void> {
    if (record.status.state !== 'running' && record.status.state !== 'unknown') return;
    record.stopping = true;
    if (timeoutSeconds > 0) {
      await this.#kill(record, stopSignalOf(record.meta.config.stopSignal, record.meta.stopSignal));
      if (await this.#exitsWithin(record, timeoutSeconds * 1000, signal)) return;
    }
    await this.#kill(record, SIGKILL);
    // The event is the usual way to learn of it; asking makes sure when one was lost.
    for (let waited = 0; waited < KILL_WAIT_MS; waited += KILL_LOOK_MS) {
      if (await this.#exitsWithin(record, KILL_LOOK_MS, signal)) return;
      await this.#reconcile(record);
    }
    throw new CriError('deadlineExceeded', `container ${record.meta.id} does not end after SIGKILL`);
  }

  /** Idempotent; kills a running container. */
  async remove(record: ContainerRecord): Promise<void> {
    const { driver, onEvent } = this.options;
    const { id, sandboxId, config } = record.meta;
    if (record.status.state === 'running' || record.status.state === 'unknown') await this.stop(record, 0);
    await this.#locks.run(id, async () => {
      if (!this.#containers.has(id)) return;
      record.removing = true;
      await driver.remove(record);
      await this.#files.remove(id);
      this.#containers.delete(id);
      this.#names.delete(nameOf(config, sandboxId));
      onEvent(id, sandboxId, ContainerEventType.CONTAINER_DELETED_EVENT);
    });
  }

  /** The driver has seen a container's first process end. */
  async processExited(id: string): Promise<void> {
    const record = this.#containers.get(id);
    if (record) await this.#finish(record);
  }

  oomKilled(id: string): void {
    const record = this.#containers.get(id);
    if (record) {
      record.status.oomKilled = true;
      if (record.status.state === 'exited') {
        record.status.reason = 'OOMKilled';
        void this.#files.keep(record);
      }
    }
  }

  /** After a restart: find every container, go on with the running ones, notice what ended meanwhile. */
  async recover(): Promise<void> {
    const { driver, logger, sandboxes, clock, mapped } = this.options;
    await mapped?.clear();
    for (const { meta, process, startedAt } of await driver.recover()) {
      if (!sandboxes.find(meta.sandboxId)) {
        logger.warn('removing a container whose sandbox is gone', { container: meta.id });
        await driver.purge(meta.id);
        await this.#files.remove(meta.id);
        continue;
      }
      const record = newContainer(meta, (await this.#files.load(meta.id)) ?? createdStatus());
      this.#containers.set(meta.id, record);
      this.#names.set(nameOf(meta.config, meta.sandboxId), meta.id);
      if (record.status.state === 'exited') continue;
      if (process.state === 'none') {
        if (record.status.state !== 'created') await this.#lost(record);
        continue;
      }
      // Died between making the process and running it: as if it had never been tried.
      if (process.state === 'created') {
        await driver.undoStart(record);
        Object.assign(record.status, createdStatus());
        delete record.status.pid;
        await this.#files.keep(record);
        continue;
      }
      await driver.adopt(record);
      record.status.state = 'running';
      record.status.pid = process.pid;
      if (record.status.startedAt === 0n) record.status.startedAt = startedAt ?? BigInt(clock.now()) * 1_000_000n;
      if (process.state === 'stopped') await this.#finish(record);
    }
    await this.#files.keepOnly(this.#containers);
  }

  /** Ask the driver about everything that should run, after its events broke. */
  async resync(): Promise<void> {
    await Promise.all(
      this.all()
        .filter((c) => c.status.state === 'running')
        .map((c) => this.#reconcile(c)),
    );
  }

  /** Let go of streams; containers go on. */
  async detach(): Promise<void> {
    this.#files.close();
    await Promise.all(this.all().map((c) => (c.status.state === 'running' ? this.options.driver.detach(c) : undefined)));
  }

  async updated(record: ContainerRecord): Promise<void> {
    await this.options.driver.save(record.meta);
  }

  async #reconcile(record: ContainerRecord): Promise<void> {
    const { state } = await this.options.driver.observe(record);
    if (state === 'stopped') await this.#finish(record);
    else if (state === 'none') await this.#lost(record);
  }

  async #kill(record: ContainerRecord, signal: number): Promise<void> {
    // It ended by itself a moment ago, and the event is on its way.
    if (!(await this.options.driver.kill(record, signal))) await this.#reconcile(record);
  }

  async #exitsWithin(record: ContainerRecord, ms: number, signal?: AbortSignal): Promise<boolean> {
    let cancel = () => {};
    let onAbort = () => {};
    const timeout = new Promise<false>((resolve) => (cancel = this.options.clock.setTimeout(() => resolve(false), ms)));
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal?.reason as Error);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
    try {
      return await Promise.race([record.exited.then(() => true), timeout, aborted]);
    } finally {
      cancel();
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** The first process has ended: take its status from the driver, with its last output, and record it. */
  #finish(record: ContainerRecord): Promise<void> {
    const { driver, onEvent, clock, logger } = this.options;
    const { id, sandboxId, cgroupsPath } = record.meta;
    return this.#locks.run(`exit-${id}`, async () => {
      if (record.status.state !== 'running') return;
      // The counter goes with the group, which goes with the process.
      const counted = record.status.oomKilled || (await oomKills(cgroupsPath, this.options.facts)) > 0;
      const exit = await driver.collect(record).catch((error: unknown) => {
        logger.error('collecting an ended container failed', { err: error, container: id });
        return undefined;
      });
      const exitCode = exit?.exitCode ?? UNKNOWN_CODE;
      const oomKilled = counted || record.status.oomKilled === true || exit?.oomKilled === true;
      Object.assign(record.status, {
        state: 'exited',
        finishedAt: exit?.finishedAt || BigInt(clock.now()) * 1_000_000n,
        exitCode,
        reason: oomKilled && exitCode !== 0 ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error',
      });
      await this.#files.keep(record);
      record.markExited();
      onEvent(id, sandboxId, ContainerEventType.CONTAINER_STOPPED_EVENT);
    });
  }

  /** No process any more and nobody saw the end: a reboot, or someone removed it behind our back. */
  async #lost(record: ContainerRecord): Promise<void> {
    if (record.status.state === 'exited') return;
    Object.assign(record.status, {
      state: 'exited',
      finishedAt: BigInt(this.options.clock.now()) * 1_000_000n,
      exitCode: UNKNOWN_CODE,
      reason: 'Unknown',
      message: '',
    });
    await this.#files.keep(record);
    await this.options.driver.lost(record);
    record.markExited();
    this.options.onEvent(record.meta.id, record.meta.sandboxId, ContainerEventType.CONTAINER_STOPPED_EVENT);
  }

  async #pidNamespace(sandbox: SandboxRecord, config: ContainerConfig): Promise<string | undefined> {
    const options = config.linux?.securityContext?.namespaceOptions;
    switch (options?.pid ?? NamespaceMode.POD) {
      case NamespaceMode.NODE:
        return undefined;
      case NamespaceMode.CONTAINER:
        return 'new';
      case NamespaceMode.TARGET: {
        const target = this.require(options?.targetId ?? '');
        if (target.meta.sandboxId !== sandbox.id)
          throw new CriError('invalidArgument', `invalid target container: container ${target.meta.id} is not in the sandbox`);
        if (target.status.state !== 'running' || target.status.pid === undefined)
          throw new CriError('invalidArgument', `invalid target container: container ${target.meta.id} is not running`);
        return `/proc/${target.status.pid}/ns/pid`;
      }
      default:
        return `/proc/${await this.options.sandboxes.ensurePause(sandbox)}/ns/pid`;
    }
  }

  /** Says in the container's status which image a mount shows, whatever name it was asked for by. */
  async #nameMountedImages(config: ContainerConfig): Promise<void> {
    for (const { image } of config.mounts) if (image?.image) image.imageRef = (await this.options.driver.image(image.image)).id;
  }

  async #user(config: ContainerConfig, imageId: string, image: ImageConfig, layers: readonly string[]): Promise<ResolvedUser> {
    const security = config.linux?.securityContext;
    const { passwd, group } = await this.#accounts.of(imageId, layers);
    return resolveUser(
      {
        ...(security?.runAsUser ? { uid: Number(security.runAsUser.value) } : {}),
        ...(security?.runAsGroup ? { gid: Number(security.runAsGroup.value) } : {}),
        username: security?.runAsUsername ?? '',
        supplementalGroups: (security?.supplementalGroups ?? []).map(Number),
        policy: security?.supplementalGroupsPolicy ?? SupplementalGroupsPolicy.Merge,
        imageUser: image.User ?? '',
      },
      passwd,
      group,
    );
  }
}

export function criStateName(record: ContainerRecord): string {
  return `CONTAINER_${record.status.state.toUpperCase()}`;
}

/** How many of its mounts are images. */
export const imageMountCount = (config: Pick<ContainerConfig, 'mounts'>) => config.mounts.filter((m) => m.image?.image).length;

const nameOf = (config: ContainerConfig, sandboxId: string) => `${config.metadata?.name}_${config.metadata?.attempt}_${sandboxId}`;

async function oomKills(cgroupsPath: string, facts: HostFacts): Promise<number> {
  try {
    return (await (await Cgroup.at(cgroupsPath, facts.cgroups)).stats()).memory.oomKills;
  } catch {
    return 0;
  }
}
