import { mkdir, rm } from 'node:fs/promises';
import { join, posix } from 'node:path';
import {
  type ContainerConfig,
  type ContainerEventType,
  ContainerEventType as EventType,
  CriError,
  isRpcError,
  NamespaceMode,
  type PodSandboxConfig,
  SupplementalGroupsPolicy,
} from '@coxswain/cri';
import { Cgroup } from '@coxswain/linux';
import type { ImageConfig } from '@coxswain/oci';
import type { Clock, Logger, Random } from '@coxswain/sdk';
import { anyJson, jsonAny, SpecType, timestampNanos } from '../containerd/any.js';
import type { Containerd } from '../containerd/client.js';
import { Status as TaskStatus } from '../generated/containerd/types/task/task_pb.js';
import type { ImageStore } from '../images/image-store.js';
import { byIdOrPrefix, newId } from '../ids.js';
import { ContainerIo } from '../io/container-io.js';
import type { Keeper } from '../io/keeper.js';
import { readJson, writeJson } from '../json-file.js';
import { KeyedMutex } from '../mutex.js';
import { KIND_LABEL, RUNC_RUNTIME, SANDBOX_LABEL, SHIM_GROUP } from '../sandbox/pause.js';
import { sandboxHostname, sandboxMounts } from '../sandbox/sandbox-files.js';
import type { SandboxManager } from '../sandbox/sandbox-manager.js';
import type { SandboxRecord } from '../sandbox/sandbox-record.js';
import {
  type ContainerMeta,
  type ContainerRecord,
  createdStatus,
  loadMeta,
  loadStatus,
  newContainer,
  type StoredMeta,
  type StoredStatus,
  storeMeta,
  storeStatus,
} from './container-record.js';
import type { HostFacts } from './host-facts.js';
import { declaredVolumes, type ImageMounts } from './image-volumes.js';
import { readRootfsFile, snapshotLayers } from './rootfs-files.js';
import { stopSignalOf } from './signals.js';
import { checkUserNamespace, containerSpec } from './spec.js';
import { type ResolvedUser, resolveUser } from './user.js';

const META_TYPE = 'coxswain.dev/cri/container.v1+json';
const SIGKILL = 9;
/** Upstream's exit codes: a start that failed, and an end nobody saw. */
const START_ERROR_CODE = 128;
const UNKNOWN_CODE = 255;

export interface ContainerManagerOptions {
  readonly containerd: Containerd;
  readonly images: ImageStore;
  readonly imageMounts: ImageMounts;
  readonly sandboxes: SandboxManager;
  readonly keeper: Keeper;
  readonly snapshotter: string;
  /** Survives reboots: status files, volumes. */
  readonly rootDir: string;
  /** Pipes. */
  readonly stateDir: string;
  readonly facts: HostFacts;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  /** Told of every change, after it has been recorded. */
  readonly onEvent: (containerId: string, sandboxId: string, type: ContainerEventType) => void;
}

/** Containers: what each is lies in containerd's own container objects, how it goes in a small file, and a restart finds both. */
export class ContainerManager {
  readonly #containers = new Map<string, ContainerRecord>();
  readonly #names = new Map<string, string>();
  readonly #locks = new KeyedMutex();
  /** Creating and deleting tasks of one pod in turn: they share a shim, which goes with its last task. */
  readonly #shims = new KeyedMutex();

  constructor(private readonly options: ContainerManagerOptions) {}

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

  async create(sandbox: SandboxRecord, config: ContainerConfig, sandboxConfig: PodSandboxConfig | undefined): Promise<ContainerRecord> {
    const { containerd, images, imageMounts, sandboxes, snapshotter, rootDir, facts, clock, random, onEvent } = this.options;
    if (!config.metadata?.name) throw new CriError('invalidArgument', 'the container config must have metadata with a name');
    if (sandbox.state !== 'ready') throw new CriError('unknown', `sandbox container ${JSON.stringify(sandbox.id)} is not running`);
    const podLogs = sandboxConfig?.logDirectory || sandbox.config.logDirectory;
    const security = config.linux?.securityContext;
    checkUserNamespace(security?.namespaceOptions?.usernsOptions);
    const name = `${config.metadata.name}_${config.metadata.attempt}_${sandbox.id}`;
    const owner = this.#names.get(name);
    if (owner) throw new CriError('unknown', `failed to reserve container name ${JSON.stringify(name)}: name is reserved for ${JSON.stringify(owner)}`);
    const id = newId(random);
    this.#names.set(name, id);
    const dir = join(rootDir, id);
    const imageMountCount = config.mounts.filter((m) => m.image?.image).length;
    try {
      const image = await images.require(config.image?.image ?? '');
      const imageConfig: ImageConfig = image.config.config ?? {};
      const [{ mounts: rootfs }, pid] = await Promise.all([
        containerd.snapshots.prepare({ snapshotter, key: id, parent: image.chainId, labels: { 'containerd.io/gc.root': 'coxswain' } }),
        this.#pidNamespace(sandbox, config),
        mkdir(dir, { recursive: true, mode: 0o711 }),
      ]);
      const user = await this.#user(config, imageConfig, rootfs);
      const [volumes, mounted] = await Promise.all([
        declaredVolumes(imageConfig.Volumes, dir, rootfs),
        imageMountCount > 0 ? imageMounts.make(id, config.mounts) : [],
      ]);
      const { net, ipc, uts } = sandbox.namespaces;
      const cgroupsPath = sandboxes.cgroupsPath(sandbox, id);
      const readonly = security?.readonlyRootfs ?? false;
      const spec = await containerSpec({
        id,
        config,
        image: imageConfig,
        user,
        namespaces: { ...(net ? { network: net } : {}), ...(ipc ? { ipc } : {}), ...(uts ? { uts } : {}), ...(pid ? { pid } : {}) },
        hostname: sandboxHostname(sandbox.config),
        cgroupsPath,
        sandboxMounts: sandboxMounts(sandboxes.filesDir(sandbox), sandboxes.shmPath(sandbox), readonly),
        extraMounts: [...volumes, ...mounted],
        annotations: { [SHIM_GROUP]: sandbox.id, 'io.kubernetes.cri.container-type': 'container', 'io.kubernetes.cri.container-name': config.metadata.name },
        facts,
      });
      const meta: ContainerMeta = {
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
      await containerd.containers.create({
        container: {
          id,
          labels: { [KIND_LABEL]: 'container', [SANDBOX_LABEL]: sandbox.id },
          image: image.names[0] ?? '',
          runtime: { name: RUNC_RUNTIME },
          spec: jsonAny(SpecType.spec, spec),
          snapshotter,
          snapshotKey: id,
          extensions: { [META_TYPE]: jsonAny(META_TYPE, storeMeta(meta)) },
        },
      });
      const record = newContainer(meta, createdStatus());
      record.rootfs = rootfs;
      this.#containers.set(id, record);
      onEvent(id, sandbox.id, EventType.CONTAINER_CREATED_EVENT);
      return record;
    } catch (error) {
      this.#names.delete(name);
      await containerd.snapshots.remove({ snapshotter, key: id }).catch(() => {});
      await imageMounts.remove(id, imageMountCount).catch(() => {});
      await rm(dir, { recursive: true, force: true });
      throw error;
    }
  }

  start(record: ContainerRecord): Promise<void> {
    const { containerd, sandboxes, clock, onEvent, snapshotter } = this.options;
    const { id, sandboxId } = record.meta;
    return this.#locks.run(id, async () => {
      if (record.status.state !== 'created') throw new CriError('unknown', `container ${JSON.stringify(id)} is in ${criStateName(record)} state`);
      if (record.removing) throw new CriError('unknown', `container ${JSON.stringify(id)} is being removed`);
      if (sandboxes.require(sandboxId).state !== 'ready') throw new CriError('unknown', `sandbox container ${JSON.stringify(sandboxId)} is not running`);
      const io = this.#newIo(record.meta);
      try {
        const [slots, rootfs] = await Promise.all([io.open(), record.rootfs ?? containerd.snapshots.mounts({ snapshotter, key: id }).then((r) => r.mounts)]);
        record.status.slots = slots;
        record.io = io;
        await this.#shims.run(sandboxId, async () => {
          const { pid } = await containerd.tasks.create({
            containerId: id,
            rootfs: rootfs.map((m) => ({ type: m.type, source: m.source, options: [...m.options] })),
            ...io.paths,
            terminal: record.meta.config.tty,
          });
          record.status.pid = pid;
          try {
            // Running before it runs: an exit event may come before the answer.
            Object.assign(record.status, { state: 'running', startedAt: BigInt(clock.now()) * 1_000_000n });
            await Promise.all([containerd.tasks.start({ containerId: id }), this.#saveStatus(record)]);
          } catch (error) {
            await containerd.tasks.delete({ containerId: id }).catch(() => {});
            throw error;
          }
        });
      } catch (error) {
        await io.finish().catch(() => {});
        const message = error instanceof Error ? error.message : String(error);
        const now = BigInt(clock.now()) * 1_000_000n;
        Object.assign(record.status, {
          state: 'exited',
          startedAt: now,
          finishedAt: now,
          exitCode: START_ERROR_CODE,
          reason: 'StartError',
          message: `failed to start containerd task ${JSON.stringify(id)}: ${message}`,
        });
        await this.#saveStatus(record).catch(() => {});
        record.markExited();
        throw new CriError('unknown', `failed to create containerd task: ${message}`, { cause: error });
      }
      onEvent(id, sandboxId, EventType.CONTAINER_STARTED_EVENT);
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
    for (let i = 0; i < 5; i++) {
      if (await this.#exitsWithin(record, 2000, signal)) return;
      await this.#reconcile(record);
    }
    throw new CriError('deadlineExceeded', `container ${record.meta.id} does not end after SIGKILL`);
  }

  /** Idempotent; kills a running container. */
  async remove(record: ContainerRecord): Promise<void> {
    const { containerd, imageMounts, snapshotter, rootDir, onEvent } = this.options;
    const { id, sandboxId, config } = record.meta;
    if (record.status.state === 'running' || record.status.state === 'unknown') await this.stop(record, 0);
    await this.#locks.run(id, async () => {
      if (!this.#containers.has(id)) return;
      record.removing = true;
      await record.io?.remove();
      await rm(join(this.options.stateDir, id), { recursive: true, force: true });
      await Promise.all([
        ignoreMissing(containerd.containers.delete({ id })),
        ignoreMissing(containerd.snapshots.remove({ snapshotter, key: id })),
        imageMounts.remove(id, config.mounts.filter((m) => m.image?.image).length),
      ]);
      await rm(join(rootDir, id), { recursive: true, force: true });
      this.#containers.delete(id);
      this.#names.delete(`${config.metadata?.name}_${config.metadata?.attempt}_${sandboxId}`);
      onEvent(id, sandboxId, EventType.CONTAINER_DELETED_EVENT);
    });
  }

  /** containerd says a container's first process has ended. */
  async taskExited(id: string): Promise<void> {
    const record = this.#containers.get(id);
    if (record) await this.#finish(record);
  }

  oomKilled(id: string): void {
    const record = this.#containers.get(id);
    if (record) {
      record.status.oomKilled = true;
      if (record.status.state === 'exited') {
        record.status.reason = 'OOMKilled';
        void this.#saveStatus(record).catch(() => {});
      }
    }
  }

  /** After a restart: find every container, go on reading the running ones' output, notice what ended meanwhile. */
  async recover(): Promise<void> {
    const { containerd, rootDir, logger, sandboxes } = this.options;
    const [{ containers }, { tasks }] = await Promise.all([
      containerd.containers.list({ filters: [`labels."${KIND_LABEL}"==container`] }),
      containerd.tasks.list({}),
    ]);
    const byId = new Map(tasks.map((t) => [t.id || t.containerId, t]));
    for (const container of containers) {
      const stored = anyJson<StoredMeta>(container.extensions[META_TYPE]);
      if (!stored) continue;
      const meta = loadMeta(stored);
      if (!sandboxes.find(meta.sandboxId)) {
        logger.warn('removing a container whose sandbox is gone', { container: meta.id });
        await this.#purge(meta.id);
        continue;
      }
      const storedStatus = await readJson<StoredStatus>(join(rootDir, meta.id, 'status.json'));
      const record = newContainer(meta, storedStatus ? loadStatus(storedStatus) : createdStatus());
      this.#containers.set(meta.id, record);
      this.#names.set(`${meta.config.metadata?.name}_${meta.config.metadata?.attempt}_${meta.sandboxId}`, meta.id);
      const task = byId.get(meta.id);
      if (task && record.status.state !== 'exited') {
        record.io = this.#newIo(meta);
        record.status.slots = await record.io.open(record.status.slots);
        if (record.status.state === 'created' && task.status === TaskStatus.CREATED) {
          // Died between creating and starting the task: as if it had never been tried.
          await containerd.tasks.delete({ containerId: meta.id }).catch(() => {});
          await record.io.remove();
          delete record.io;
          continue;
        }
        record.status.state = 'running';
        record.status.pid = task.pid;
        if (record.status.startedAt === 0n) record.status.startedAt = BigInt(this.options.clock.now()) * 1_000_000n;
        if (task.status === TaskStatus.STOPPED) await this.#finish(record);
      } else if (record.status.state === 'running' || record.status.state === 'unknown') {
        await this.#lost(record);
      }
    }
  }

  /** Ask containerd about everything that should run, after its event stream broke. */
  async resync(): Promise<void> {
    await Promise.all(
      this.all()
        .filter((c) => c.status.state === 'running')
        .map((c) => this.#reconcile(c)),
    );
  }

  /** Let go of pipes; containers go on. */
  async detach(): Promise<void> {
    await Promise.all(this.all().map((c) => (c.status.state === 'running' ? c.io?.detach() : undefined)));
  }

  async updated(record: ContainerRecord): Promise<void> {
    await this.options.containerd.containers.update({
      container: { id: record.meta.id, extensions: { [META_TYPE]: jsonAny(META_TYPE, storeMeta(record.meta)) } },
      updateMask: { paths: [`extensions.${META_TYPE}`] },
    });
  }

  async #reconcile(record: ContainerRecord): Promise<void> {
    try {
      const { process } = await this.options.containerd.tasks.get({ containerId: record.meta.id });
      if (process?.status === TaskStatus.STOPPED) await this.#finish(record);
    } catch (error) {
      if (!isRpcError(error, 'notFound')) throw error;
      await this.#lost(record);
    }
  }

  async #kill(record: ContainerRecord, signal: number): Promise<void> {
    try {
      await this.options.containerd.tasks.kill({ containerId: record.meta.id, signal, all: false });
    } catch (error) {
      // It ended by itself a moment ago, and the event is on its way.
      if (isRpcError(error, 'notFound') || (error instanceof Error && /already finished|not running|process already/.test(error.message)))
        return this.#reconcile(record);
      throw error;
    }
  }

  async #exitsWithin(record: ContainerRecord, ms: number, signal?: AbortSignal): Promise<boolean> {
    let cancel = () => {};
    const timeout = new Promise<false>((resolve) => (cancel = this.options.clock.setTimeout(() => resolve(false), ms)));
    const aborted = new Promise<never>((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error), { once: true }));
    try {
      return await Promise.race([record.exited.then(() => true), timeout, aborted]);
    } finally {
      cancel();
    }
  }

  /** The first process has ended: take its status from containerd, empty the pipes, record it. */
  #finish(record: ContainerRecord): Promise<void> {
    const { containerd, onEvent } = this.options;
    const { id, sandboxId, cgroupsPath } = record.meta;
    return this.#locks.run(`exit-${id}`, async () => {
      if (record.status.state !== 'running') return;
      // The counter goes with the group, which goes with the task.
      const oomKilled = record.status.oomKilled || (await oomKills(cgroupsPath, this.options.facts)) > 0;
      let exitCode = UNKNOWN_CODE;
      let finishedAt = BigInt(this.options.clock.now()) * 1_000_000n;
      try {
        const deleted = await this.#shims.run(sandboxId, () => containerd.tasks.delete({ containerId: id }));
        exitCode = deleted.exitStatus;
        finishedAt = timestampNanos(deleted.exitedAt) || finishedAt;
      } catch (error) {
        if (!isRpcError(error, 'notFound')) this.options.logger.error('deleting an ended task failed', { err: error, container: id });
      }
      await record.io?.finish();
      Object.assign(record.status, {
        state: 'exited',
        finishedAt,
        exitCode,
        reason: oomKilled && exitCode !== 0 ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error',
      });
      await this.#saveStatus(record);
      record.markExited();
      onEvent(id, sandboxId, EventType.CONTAINER_STOPPED_EVENT);
    });
  }

  /** No task any more and nobody saw the end: a reboot, or someone removed it behind our back. */
  async #lost(record: ContainerRecord): Promise<void> {
    if (record.status.state === 'exited') return;
    Object.assign(record.status, {
      state: 'exited',
      finishedAt: BigInt(this.options.clock.now()) * 1_000_000n,
      exitCode: UNKNOWN_CODE,
      reason: 'Unknown',
      message: '',
    });
    await this.#saveStatus(record);
    await record.io?.finish();
    record.markExited();
    this.options.onEvent(record.meta.id, record.meta.sandboxId, EventType.CONTAINER_STOPPED_EVENT);
  }

  /** Everything containerd and we have of a container. */
  async #purge(id: string): Promise<void> {
    const { containerd, snapshotter, rootDir, stateDir } = this.options;
    await containerd.tasks.kill({ containerId: id, signal: SIGKILL, all: true }).catch(() => {});
    await containerd.tasks.wait({ containerId: id }, { timeoutMs: 10_000 }).catch(() => {});
    await ignoreMissing(containerd.tasks.delete({ containerId: id }));
    await ignoreMissing(containerd.containers.delete({ id }));
    await ignoreMissing(containerd.snapshots.remove({ snapshotter, key: id }));
    await Promise.all([rm(join(rootDir, id), { recursive: true, force: true }), rm(join(stateDir, id), { recursive: true, force: true })]);
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

  async #user(config: ContainerConfig, image: ImageConfig, rootfs: Parameters<typeof snapshotLayers>[0]): Promise<ResolvedUser> {
    const security = config.linux?.securityContext;
    const layers = snapshotLayers(rootfs);
    const [passwd, group] = await Promise.all([readRootfsFile(layers, '/etc/passwd'), readRootfsFile(layers, '/etc/group')]);
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

  #newIo(meta: ContainerMeta): ContainerIo {
    const { stateDir, clock, logger, keeper } = this.options;
    return new ContainerIo({ dir: join(stateDir, meta.id), logPath: meta.logPath, stdin: meta.config.stdin, tty: meta.config.tty, clock, logger, keeper });
  }

  #saveStatus(record: ContainerRecord): Promise<void> {
    return writeJson(join(this.options.rootDir, record.meta.id, 'status.json'), storeStatus(record.status));
  }
}

export function criStateName(record: ContainerRecord): string {
  return `CONTAINER_${record.status.state.toUpperCase()}`;
}

async function ignoreMissing(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isRpcError(error, 'notFound')) throw error;
  }
}

async function oomKills(cgroupsPath: string, facts: HostFacts): Promise<number> {
  try {
    return (await (await Cgroup.at(cgroupsPath, facts.cgroups)).stats()).memory.oomKills;
  } catch {
    return 0;
  }
}
