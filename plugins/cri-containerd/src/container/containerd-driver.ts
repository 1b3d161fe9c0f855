import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isRpcError, type Mount } from '@coxswain/cri';
import {
  type ContainerDriver,
  type ContainerMeta,
  type ContainerRecord,
  type FoundContainer,
  hostOwner,
  imageMountCount,
  KeyedMutex,
  type MappedLayers,
  loadMeta,
  podUsers,
  type PodUsers,
  type PreparedRootfs,
  type ProcessExit,
  type ProcessState,
  type SandboxRecord,
  type StoredMeta,
  shiftOwner,
  storeMeta,
} from '@coxswain/cri-runtime';
import type { RuntimeSpec, SpecMount } from '@coxswain/oci';
import type { Clock, Logger } from '@coxswain/sdk';
import { anyJson, jsonAny, SpecType, timestampNanos } from '../containerd/any.js';
import type { Containerd } from '../containerd/client.js';
import type { ShimRuntimes } from '../containerd/shim-runtimes.js';
import { Status as TaskStatus } from '../generated/containerd/types/task/task_pb.js';
import type { ImageStore, StoredImage } from '../images/image-store.js';
import { ContainerIo, type IoSlots } from '../io/container-io.js';
import type { Keeper } from '../io/keeper.js';
import { KIND_LABEL, SANDBOX_LABEL } from '../sandbox/pause.js';
import type { ImageMounts } from './image-volumes.js';
import { duringMapped, type SnapshotMount, snapshotLayers } from './snapshot-mounts.js';

const META_TYPE = 'coxswain.dev/cri/container.v1+json';
const SIGKILL = 9;

export interface ContainerdDriverOptions {
  readonly containerd: Containerd;
  readonly runtimes: ShimRuntimes;
  readonly images: ImageStore;
  readonly imageMounts: ImageMounts;
  readonly keeper: Keeper;
  readonly mappedLayers: MappedLayers;
  readonly snapshotter: string;
  /** Pipes. */
  readonly stateDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Containers as containerd's container objects, snapshots and tasks; their streams as named pipes of ours. */
export class ContainerdDriver implements ContainerDriver<StoredImage> {
  readonly #io = new Map<string, ContainerIo>();
  /** Mounts of writable snapshots, known until the server restarts. */
  readonly #rootfs = new Map<string, readonly SnapshotMount[]>();
  /** Creating and deleting tasks of one pod in turn: they share a shim, which goes with its last task. */
  readonly #shims = new KeyedMutex();

  constructor(private readonly options: ContainerdDriverOptions) {}

  image(reference: string): Promise<StoredImage> {
    return this.options.images.require(reference);
  }

  async prepare(id: string, image: StoredImage, users?: PodUsers): Promise<PreparedRootfs> {
    const { containerd, snapshotter } = this.options;
    const { mounts } = await containerd.snapshots.prepare({ snapshotter, key: id, parent: image.chainId, labels: { 'containerd.io/gc.root': 'coxswain' } });
    this.#rootfs.set(id, mounts);
    const layers = snapshotLayers(mounts);
    // The folder that is / in the container.
    if (users && layers[0] !== undefined) await shiftOwner(layers[0], users);
    return { layers };
  }

  mountImages(id: string, mounts: readonly Mount[], users?: PodUsers): Promise<SpecMount[]> {
    return this.options.imageMounts.make(id, mounts, users);
  }

  async create({ meta, spec, image, sandbox }: { meta: ContainerMeta; spec: RuntimeSpec; image: StoredImage; sandbox: SandboxRecord }): Promise<string> {
    const { containerd, snapshotter } = this.options;
    await containerd.containers.create({
      container: {
        id: meta.id,
        labels: { [KIND_LABEL]: 'container', [SANDBOX_LABEL]: sandbox.id },
        image: image.names[0] ?? '',
        runtime: this.options.runtimes.require(sandbox.runtimeHandler).info(hostOwner(meta.user, podUsers(sandbox))),
        spec: jsonAny(SpecType.spec, spec),
        snapshotter,
        snapshotKey: meta.id,
        extensions: { [META_TYPE]: jsonAny(META_TYPE, storeMeta(meta)) },
      },
    });
    return meta.id;
  }

  async discard(id: string, imageMounts: number): Promise<void> {
    const { containerd, snapshotter } = this.options;
    this.#rootfs.delete(id);
    await containerd.snapshots.remove({ snapshotter, key: id }).catch(() => {});
    await this.options.imageMounts.remove(id, imageMounts);
  }

  async start(record: ContainerRecord, created: (pid: number) => Promise<void>, users?: PodUsers): Promise<void> {
    const { containerd, snapshotter } = this.options;
    const { id, sandboxId, config } = record.meta;
    const io = this.#newIo(record.meta);
    try {
      const [slots, rootfs] = await Promise.all([
        io.open(),
        this.#rootfs.get(id) ?? containerd.snapshots.mounts({ snapshotter, key: id }).then((r) => r.mounts),
      ]);
      record.status.driverState = slots;
      this.#io.set(id, io);
      await this.#shims.run(sandboxId, async () => {
        const create = (mounts: readonly SnapshotMount[]) =>
          containerd.tasks.create({
            containerId: id,
            rootfs: mounts.map((m) => ({ type: m.type, source: m.source, options: [...m.options] })),
            ...io.paths,
            terminal: config.tty,
          });
        const { pid } = await (users ? duringMapped(this.options.mappedLayers, rootfs, users, create) : create(rootfs));
        try {
          // Saving first costs nothing: the runtime takes longer.
          await Promise.all([created(pid), containerd.tasks.start({ containerId: id })]);
        } catch (error) {
          await containerd.tasks.delete({ containerId: id }).catch(() => {});
          throw error;
        }
      });
    } catch (error) {
      this.#io.delete(id);
      await io.finish().catch(() => {});
      throw error;
    }
  }

  async kill(record: ContainerRecord, signal: number): Promise<boolean> {
    try {
      await this.options.containerd.tasks.kill({ containerId: record.meta.id, signal, all: false });
      return true;
    } catch (error) {
      if (isRpcError(error, 'notFound') || (error instanceof Error && /already finished|not running|process already/.test(error.message))) return false;
      throw error;
    }
  }

  async observe(record: ContainerRecord): Promise<ProcessState> {
    try {
      const { process } = await this.options.containerd.tasks.get({ containerId: record.meta.id });
      return process ? taskState(process.status, process.pid) : { state: 'none' };
    } catch (error) {
      if (!isRpcError(error, 'notFound')) throw error;
      return { state: 'none' };
    }
  }

  async collect(record: ContainerRecord): Promise<ProcessExit | undefined> {
    const { containerd, logger } = this.options;
    const { id, sandboxId } = record.meta;
    let exit: ProcessExit | undefined;
    try {
      const deleted = await this.#shims.run(sandboxId, () => containerd.tasks.delete({ containerId: id }));
      exit = { exitCode: deleted.exitStatus, finishedAt: timestampNanos(deleted.exitedAt) };
    } catch (error) {
      if (!isRpcError(error, 'notFound')) logger.error('deleting an ended task failed', { err: error, container: id });
    }
    await this.#io.get(id)?.finish();
    return exit;
  }

  async lost(record: ContainerRecord): Promise<void> {
    await this.#io.get(record.meta.id)?.finish();
  }

  async remove(record: ContainerRecord): Promise<void> {
    const { containerd, snapshotter, imageMounts, stateDir } = this.options;
    const { id, sandboxId, config } = record.meta;
    await this.#io.get(id)?.remove();
    this.#io.delete(id);
    this.#rootfs.delete(id);
    await rm(join(stateDir, id), { recursive: true, force: true });
    // A containerd that was killed before it asked a new shim for the task knows the shim by the container only: it would stay for good.
    await this.#shims.run(sandboxId, () => ignoreMissing(containerd.tasks.delete({ containerId: id })));
    await Promise.all([
      ignoreMissing(containerd.containers.delete({ id })),
      ignoreMissing(containerd.snapshots.remove({ snapshotter, key: id })),
      imageMounts.remove(id, imageMountCount(config)),
    ]);
  }

  async purge(id: string): Promise<void> {
    const { containerd, snapshotter, stateDir } = this.options;
    await containerd.tasks.kill({ containerId: id, signal: SIGKILL, all: true }).catch(() => {});
    await containerd.tasks.wait({ containerId: id }, { timeoutMs: 10_000 }).catch(() => {});
    await ignoreMissing(containerd.tasks.delete({ containerId: id }));
    await ignoreMissing(containerd.containers.delete({ id }));
    await ignoreMissing(containerd.snapshots.remove({ snapshotter, key: id }));
    await rm(join(stateDir, id), { recursive: true, force: true });
  }

  async recover(): Promise<FoundContainer[]> {
    const { containerd } = this.options;
    const [{ containers }, { tasks }] = await Promise.all([
      containerd.containers.list({ filters: [`labels."${KIND_LABEL}"==container`] }),
      containerd.tasks.list({}),
    ]);
    const byId = new Map(tasks.map((t) => [t.id || t.containerId, t]));
    return containers.flatMap((container) => {
      const stored = anyJson<StoredMeta>(container.extensions[META_TYPE]);
      if (!stored) return [];
      const meta = loadMeta(stored);
      const task = byId.get(meta.id);
      return [{ meta, process: task ? taskState(task.status, task.pid) : ({ state: 'none' } as const) }];
    });
  }

  async adopt(record: ContainerRecord): Promise<void> {
    const io = this.#newIo(record.meta);
    record.status.driverState = await io.open(record.status.driverState as IoSlots | undefined);
    this.#io.set(record.meta.id, io);
  }

  async undoStart(record: ContainerRecord): Promise<void> {
    await this.options.containerd.tasks.delete({ containerId: record.meta.id }).catch(() => {});
    await rm(join(this.options.stateDir, record.meta.id), { recursive: true, force: true });
  }

  async detach(record: ContainerRecord): Promise<void> {
    await this.#io.get(record.meta.id)?.detach();
  }

  async save(meta: ContainerMeta): Promise<void> {
    await this.options.containerd.containers.update({
      container: { id: meta.id, extensions: { [META_TYPE]: jsonAny(META_TYPE, storeMeta(meta)) } },
      updateMask: { paths: [`extensions.${META_TYPE}`] },
    });
  }

  async spec(id: string): Promise<RuntimeSpec | undefined> {
    const { container } = await this.options.containerd.containers.get({ id });
    return anyJson<RuntimeSpec>(container?.spec);
  }

  /** Of a container that has yet to start. */
  async updateSpec(id: string, change: (spec: RuntimeSpec) => RuntimeSpec): Promise<void> {
    const { containerd } = this.options;
    const spec = await this.spec(id);
    if (spec) await containerd.containers.update({ container: { id, spec: jsonAny(SpecType.spec, change(spec)) }, updateMask: { paths: ['spec'] } });
  }

  /** A running container's streams. */
  io(id: string): ContainerIo | undefined {
    return this.#io.get(id);
  }

  #newIo(meta: ContainerMeta): ContainerIo {
    const { stateDir, clock, logger, keeper } = this.options;
    return new ContainerIo({ dir: join(stateDir, meta.id), logPath: meta.logPath, stdin: meta.config.stdin, tty: meta.config.tty, clock, logger, keeper });
  }
}

function taskState(status: TaskStatus, pid: number): ProcessState {
  if (status === TaskStatus.STOPPED) return { state: 'stopped', pid };
  return { state: status === TaskStatus.CREATED ? 'created' : 'running', pid };
}

async function ignoreMissing(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isRpcError(error, 'notFound')) throw error;
  }
}
