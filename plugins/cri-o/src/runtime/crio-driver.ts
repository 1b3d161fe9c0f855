import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CriError, type Mount } from '@coxswain/cri';
import {
  type ContainerDriver,
  type ContainerMeta,
  type ContainerRecord,
  type FoundContainer,
  imageMountCount,
  KeyedMutex,
  loadMeta,
  type MappedLayers,
  type PodUsers,
  type PreparedRootfs,
  type ProcessExit,
  type ProcessState,
  readJson,
  imageVolumeMount,
  shiftOwner,
  type SandboxRecord,
  type StoredMeta,
  storeMeta,
  writeJson,
} from '@coxswain/cri-runtime';
import { isAlive, type ProcessIdentity, signalProcess, umountAll, umountTarget } from '@coxswain/linux';
import type { Digest, RuntimeSpec, SpecMount } from '@coxswain/oci';
import type { Clock, Logger } from '@coxswain/sdk';
import type { ImageStore, StoredImage } from '../images/image-store.js';
import { mountOverlay, type OverlayOptions } from '../images/layer-store.js';
import type { MountPoints } from '../images/mount-points.js';
import { type ConmonDirs, createWatched, monitorName, type Watched } from './conmon.js';
import { readExit } from './exit-watcher.js';
import type { OciRuntime, Runtimes } from './oci-runtime.js';

export interface CrioDriverOptions {
  readonly images: ImageStore;
  readonly runtimes: Runtimes;
  readonly conmon: ConmonDirs;
  readonly mappedLayers: MappedLayers;
  readonly mountPoints: MountPoints;
  /** Survives reboots: what containers are, and their writable layers. */
  readonly rootDir: string;
  /** Does not: bundles, mounts. */
  readonly stateDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** `<root>/containers/<id>/container.json`. */
interface StoredContainer {
  readonly meta: StoredMeta;
  readonly handler: string;
  readonly diffIds: readonly Digest[];
  /** The image mounts' layers, which must stay too. */
  readonly mountedDiffIds: readonly (readonly Digest[])[];
}

/** Known of a container between calls. */
interface Known {
  readonly handler: string;
  readonly diffIds: readonly Digest[];
  readonly mounted: (readonly Digest[])[];
}

/** Containers as OCI runtime containers on overlay mounts, each watched by a conmon. Everything they are lies on disk. */
export class CrioDriver implements ContainerDriver<StoredImage> {
  readonly #known = new Map<string, Known>();
  /** Starting a container and collecting its end, one after the other. */
  readonly #locks = new KeyedMutex();

  constructor(private readonly options: CrioDriverOptions) {}

  image(reference: string): Promise<StoredImage> {
    return this.options.images.require(reference);
  }

  async prepare(id: string, image: StoredImage, users?: PodUsers): Promise<PreparedRootfs> {
    // From now on the collector leaves its layers alone.
    this.#known.set(id, { handler: '', diffIds: image.diffIds, mounted: [] });
    const { upper, work } = this.#writable(id);
    await Promise.all([mkdir(upper, { recursive: true, mode: 0o755 }), mkdir(work, { recursive: true, mode: 0o700 })]);
    // The folder that is / in the container.
    if (users) await shiftOwner(upper, users);
    return { layers: [upper, ...this.#lowers(image.diffIds)], path: this.rootfs(id) };
  }

  async mountImages(id: string, mounts: readonly Mount[], users?: PodUsers): Promise<SpecMount[]> {
    const out: SpecMount[] = [];
    for (const [i, wanted] of mounts.filter((m) => m.image?.image).entries()) {
      const image = await this.options.images.require(wanted.image?.image ?? '');
      this.#known.get(id)?.mounted.push(image.diffIds);
      const target = join(this.#imageMounts(id), String(i));
      await this.#mount({ lowers: this.#lowers(image.diffIds), target }, users);
      out.push(await imageVolumeMount(target, wanted));
    }
    return out;
  }

  async create({ meta, spec, image, sandbox }: { meta: ContainerMeta; spec: RuntimeSpec; image: StoredImage; sandbox: SandboxRecord }): Promise<string> {
    const { id } = meta;
    const known: Known = {
      // By name: what the default is may change.
      handler: this.options.runtimes.require(sandbox.runtimeHandler).handler,
      diffIds: image.diffIds,
      mounted: this.#known.get(id)?.mounted ?? [],
    };
    this.#known.set(id, known);
    await mkdir(this.bundle(id), { recursive: true, mode: 0o700 });
    await writeJson(join(this.bundle(id), 'config.json'), spec);
    await this.#store(meta, known);
    return id;
  }

  async discard(id: string, imageMounts: number): Promise<void> {
    if (imageMounts > 0) await umountAll(this.#imageMounts(id));
    await rm(this.bundle(id), { recursive: true, force: true });
    await rm(join(this.options.stateDir, 'containers', id), { recursive: true, force: true });
    await rm(this.#dir(id), { recursive: true, force: true });
    this.#known.delete(id);
  }

  start(record: ContainerRecord, created: (pid: number) => Promise<void>, users?: PodUsers): Promise<void> {
    const { id, config, logPath } = record.meta;
    const known = this.#require(id);
    return this.#locks.run(id, async () => {
      const runtime = this.options.runtimes.require(known.handler);
      try {
        await Promise.all([
          this.#mount(
            { lowers: [...this.#lowers(known.diffIds), this.options.mountPoints.for(config)], target: this.rootfs(id), writable: this.#writable(id) },
            users,
          ),
          logPath === '' ? undefined : mkdir(dirname(logPath), { recursive: true, mode: 0o755 }),
        ]);
        const watched = await createWatched(this.options.conmon, {
          id,
          runtime,
          bundle: this.bundle(id),
          logPath,
          tty: config.tty,
          stdin: config.stdin,
          stdinOnce: config.stdinOnce,
        });
        record.status.driverState = watched;
        // Recorded before it runs, so that a crash between leaves nothing unknown.
        await created(watched.process.pid);
        await runtime.start(id);
      } catch (error) {
        await runtime.delete(id).catch((cleanup: unknown) => this.options.logger.warn('deleting a container that did not start failed', { err: cleanup }));
        await umountTarget(this.rootfs(id));
        throw error;
      }
    });
  }

  async kill(record: ContainerRecord, signal: number): Promise<boolean> {
    const process = this.#process(record);
    return process !== undefined && signalProcess(process, signal);
  }

  async observe(record: ContainerRecord): Promise<ProcessState> {
    const { id } = record.meta;
    const watched = record.status.driverState as Watched | undefined;
    if (!watched) return { state: 'none' };
    const { pid } = watched.process;
    if (await readExit(this.options.conmon.exits, id)) return { state: 'stopped', pid };
    if (isAlive(watched.process)) {
      const waits = await this.options.runtimes.find(this.#known.get(id)?.handler ?? '')?.waitsForStart(id);
      return { state: waits ? 'created' : 'running', pid };
    }
    // Its conmon is about to write how it ended; without one nobody will.
    if (watched.conmon && isAlive(watched.conmon)) return { state: 'running', pid };
    return (await readExit(this.options.conmon.exits, id)) ? { state: 'stopped', pid } : { state: 'none' };
  }

  collect(record: ContainerRecord): Promise<ProcessExit | undefined> {
    const { id } = record.meta;
    return this.#locks.run(id, async () => {
      const [exit, oom] = await Promise.all([readExit(this.options.conmon.exits, id), stat(join(this.bundle(id), 'oom')).catch(() => undefined)]);
      await this.#end(id);
      return exit && { ...exit, ...(oom ? { oomKilled: true } : {}) };
    });
  }

  lost(record: ContainerRecord): Promise<void> {
    return this.#locks.run(record.meta.id, () => this.#end(record.meta.id));
  }

  async remove(record: ContainerRecord): Promise<void> {
    const { id, config } = record.meta;
    await this.#end(id);
    await this.#forget(id);
    await this.discard(id, imageMountCount(config));
  }

  async purge(id: string): Promise<void> {
    await this.#end(id);
    await this.#forget(id);
    await this.discard(id, 1);
  }

  async recover(): Promise<FoundContainer[]> {
    const out: FoundContainer[] = [];
    for (const id of await readdir(this.options.rootDir)) {
      const stored = await readJson<StoredContainer>(join(this.#dir(id), 'container.json'));
      if (!stored) {
        // Died while it was being made.
        await this.purge(id);
        continue;
      }
      this.#known.set(id, { handler: stored.handler, diffIds: stored.diffIds, mounted: [...stored.mountedDiffIds] });
      const status = await readJson<{ driverState?: Watched; state: string }>(join(this.#dir(id), 'status.json'));
      const meta = loadMeta(stored.meta);
      const watched = status?.driverState;
      // A crash between making the process and writing down that there is one: taken back, as if it had never been tried.
      if (!watched) await this.#end(id);
      const found = watched ? await this.observe({ meta, status: { driverState: watched } } as ContainerRecord) : ({ state: 'none' } as const);
      out.push({ meta, process: found });
    }
    return out;
  }

  /** conmon has the streams; there is nothing to take up. */
  async adopt(): Promise<void> {}

  undoStart(record: ContainerRecord): Promise<void> {
    return this.lost(record).then(() => rm(join(this.options.conmon.exits, record.meta.id), { force: true }));
  }

  async detach(): Promise<void> {}

  save(meta: ContainerMeta): Promise<void> {
    return this.#store(meta, this.#require(meta.id));
  }

  /** The runtime a container was made by. */
  runtime(id: string): OciRuntime {
    return this.options.runtimes.require(this.#require(id).handler);
  }

  bundle(id: string): string {
    return join(this.options.stateDir, 'bundles', id);
  }

  rootfs(id: string): string {
    return join(this.options.stateDir, 'containers', id, 'rootfs');
  }

  upper(id: string): string {
    return this.#writable(id).upper;
  }

  async spec(id: string): Promise<RuntimeSpec> {
    return JSON.parse(await readFile(join(this.bundle(id), 'config.json'), 'utf8')) as RuntimeSpec;
  }

  /** Of a container that has yet to start. */
  async updateSpec(id: string, change: (spec: RuntimeSpec) => RuntimeSpec): Promise<void> {
    await writeJson(join(this.bundle(id), 'config.json'), change(await this.spec(id)));
  }

  /** Layers that containers need, also those just being made. */
  layersInUse(): (readonly Digest[])[] {
    return [...this.#known.values()].flatMap((k) => [k.diffIds, ...k.mounted]);
  }

  /** Nothing of it runs or is mounted any more; it can still be looked at. Idempotent. */
  async #end(id: string): Promise<void> {
    const runtime = this.options.runtimes.find(this.#known.get(id)?.handler ?? '');
    if (runtime && (await stat(join(runtime.root, id)).catch(() => undefined))) await runtime.delete(id);
    await umountTarget(this.rootfs(id));
  }

  async #forget(id: string): Promise<void> {
    const { exits, sockets } = this.options.conmon;
    await Promise.all([rm(join(exits, id), { force: true }), rm(join(sockets, monitorName(id)), { force: true })]);
  }

  #process(record: ContainerRecord): ProcessIdentity | undefined {
    return (record.status.driverState as Watched | undefined)?.process;
  }

  #require(id: string): Known {
    const known = this.#known.get(id);
    if (!known) throw new CriError('notFound', `container ${id} not found`);
    return known;
  }

  #store(meta: ContainerMeta, { handler, diffIds, mounted }: Known): Promise<void> {
    const stored: StoredContainer = { meta: storeMeta(meta), handler, diffIds, mountedDiffIds: mounted };
    return writeJson(join(this.#dir(meta.id), 'container.json'), stored);
  }

  #lowers(diffIds: readonly Digest[]): string[] {
    return this.options.images.layers.stack(diffIds);
  }

  #mount(overlay: OverlayOptions, users: PodUsers | undefined): Promise<void> {
    if (!users) return mountOverlay(overlay);
    return this.options.mappedLayers.during(overlay.lowers, users, (lowers) => mountOverlay({ ...overlay, lowers }));
  }

  #dir(id: string): string {
    return join(this.options.rootDir, id);
  }

  #imageMounts(id: string): string {
    return join(this.options.stateDir, 'containers', id, 'images');
  }

  #writable(id: string): { upper: string; work: string } {
    return { upper: join(this.#dir(id), 'upper'), work: join(this.#dir(id), 'work') };
  }
}
