import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { ContainerEventType, type ImageService, type RuntimeService, serveCri, StreamingServer } from '@coxswain/cri';
import {
  changeResources,
  ContainerManager,
  type CriServerOptions,
  CriEvents,
  folderUsage,
  hostFacts,
  LayersUsage,
  ManagedRuntimeService,
  type OciServerOptions,
  pauseId,
  pinnedSandboxes,
  type RuntimeEngine,
  RuntimeStreaming,
  StatsReader,
  specWithLimits,
  StoredImages,
  sumOfLayers,
  writeJson,
} from '@coxswain/cri-runtime';
import { silentLogger, systemClock, systemRandom } from '@coxswain/sdk';
import { ImageStore } from './images/image-store.js';
import { MountPoints } from './images/mount-points.js';
import { importArchive, type ImportOptions, Puller } from './images/pull.js';
import { attachSession } from './runtime/attach.js';
import { conmonProgram, makeConmonDirs, reopenLog } from './runtime/conmon.js';
import { CrioDriver } from './runtime/crio-driver.js';
import { CrioExec } from './runtime/exec.js';
import { watchExits } from './runtime/exit-watcher.js';
import { Runtimes } from './runtime/oci-runtime.js';
import { CrioPause } from './runtime/pause.js';

const VERSION = '0.1.0';

/** `root`, which holds images and writable layers too, must be short: its paths go into mount options. */
export interface CrioOptions extends CriServerOptions, OciServerOptions {
  /** Uncompressed bytes and entries one layer may have. */
  readonly layerLimits?: { readonly maxBytes?: number; readonly maxEntries?: number };
}

/** A running CRI server without a daemon beneath. */
export interface Crio {
  readonly endpoint: string;
  readonly runtime: RuntimeService;
  readonly image: ImageService;
  /** RuntimeClass handlers, the default first. */
  readonly handlers: readonly string[];
  /** Stop serving; containers go on and are found again by the next server of the same folders. */
  stop(): Promise<void>;
  /** Stop and remove every pod: for taking a node down. Then `stop`. */
  destroyPods(): Promise<void>;
}

/** Start the CRI server: find everything again that is there, then serve. */
export async function startCrio(options: CrioOptions): Promise<Crio> {
  const { clock = systemClock, random = systemRandom, logger = silentLogger, root, state } = options;
  conmonProgram();
  const execDir = join(state, 'exec');
  await rm(execDir, { recursive: true, force: true });
  await Promise.all(
    [join(root, 'sandboxes'), join(root, 'containers'), join(state, 'bundles'), execDir].map((dir) => mkdir(dir, { recursive: true, mode: 0o711 })),
  );
  const undo: (() => unknown)[] = [];
  try {
    const [facts, conmon, images] = await Promise.all([hostFacts(), makeConmonDirs(state), ImageStore.open(join(root, 'images'), options.layerLimits)]);
    const runtimes = await Runtimes.open({
      stateDir: join(state, 'oci'),
      dir: join(root, 'bin'),
      cgroups: facts.cgroups,
      ...(options.runtimes ? { runtimes: options.runtimes } : {}),
    });
    const pause = new CrioPause(runtimes, conmon, join(root, 'pause'), join(state, 'bundles'));
    await pause.prepare();
    const program = (handler: string) => runtimes.require(handler).command;
    const { network, sandboxes, mappedLayers, mapped } = await pinnedSandboxes({
      ...options,
      pause,
      handlers: runtimes.handlers,
      program,
      clock,
      random,
      logger,
    });
    const events = new CriEvents(clock);
    const mountPoints = await MountPoints.make(join(root, 'm'));
    const driver = new CrioDriver({ images, runtimes, conmon, mappedLayers, mountPoints, rootDir: join(root, 'containers'), stateDir: state, clock, logger });
    const containers = new ContainerManager({
      driver,
      sandboxes,
      mapped,
      rootDir: join(root, 'containers'),
      facts,
      clock,
      random,
      logger,
      onEvent: events.publish,
    });
    events.connect(sandboxes, containers);
    const failed = (error: unknown) => logger.error('handling the end of a container failed', { err: error });
    const exited = (id: string) => {
      if (!id.startsWith('pause-')) return void containers.processExited(id).catch(failed);
      const sandbox = sandboxes.all().find((s) => pauseId(s.id) === id);
      if (sandbox) void sandboxes.pauseExited(sandbox.id).then((s) => s && events.publish(s.id, s.id, ContainerEventType.CONTAINER_STOPPED_EVENT), failed);
    };
    // Watching before looking, so that no end falls between the two.
    const stopWatching = watchExits(conmon.exits, { exit: exited, sweep: () => void containers.resync().catch(failed) }, { clock, logger });
    undo.push(stopWatching);
    await sandboxes.recover();
    await containers.recover();
    await containers.resync();
    for (const id of await readdir(conmon.exits)) if (id.startsWith('pause-')) exited(id);
    const collectGarbage = () => images.collectGarbage(driver.layersInUse());
    await collectGarbage();
    const exec = new CrioExec({
      dir: execDir,
      dirs: conmon,
      target: async (id) => ({ runtime: driver.runtime(id), spec: await driver.spec(id) }),
      clock,
      random,
    });
    const streaming = await StreamingServer.start({
      handler: new RuntimeStreaming({
        containers,
        sandboxes,
        exec,
        attach: (container, session) => attachSession(conmon, driver.bundle(container.meta.id), container, session, clock),
      }),
      clock,
      ...(options.streamingAddress ? { address: options.streamingAddress } : {}),
    });
    undo.push(() => streaming.close());
    const stats = new StatsReader((id) => folderUsage(driver.upper(id)), facts, clock, join(root, 'containers'));
    const engine: RuntimeEngine = {
      name: 'cri-o',
      handlers: runtimes.handlers,
      version: async () => VERSION,
      problem: async () => {
        try {
          conmonProgram();
          return undefined;
        } catch (error) {
          return (error as Error).message;
        }
      },
      update: ({ meta: { id, cgroupsPath } }, resources) =>
        changeResources(resources, { path: cgroupsPath, layout: facts.cgroups }, async (changed) => {
          const file = join(driver.bundle(id), 'resources.json');
          await writeJson(file, changed);
          await driver.runtime(id).update(id, file);
        }),
      updateCreated: ({ meta: { id } }, resources) => driver.updateSpec(id, (spec) => specWithLimits(spec, resources)),
      // With the bundle it goes when the machine starts anew.
      spec: ({ meta: { id } }) => driver.spec(id).catch(() => undefined),
      reopenLog: async (container) => {
        const { id, logPath } = container.meta;
        if (logPath !== '') await reopenLog(driver.bundle(id), logPath, clock);
      },
    };
    const runtime = new ManagedRuntimeService({ engine, sandboxes, containers, network, exec, streaming, stats, events, facts, clock, logger });
    const puller = new Puller({ store: images, clock, ...(options.registry ? { registry: options.registry } : {}) });
    const layers = new LayersUsage((name) => folderUsage(join(images.layers.root, name)));
    const image = new StoredImages({
      store: images,
      pull: (reference, credentials, signal) => puller.pull(reference, credentials, signal),
      clock,
      folder: async () => join(root, 'images'),
      usage: async () => ({
        images: await layers.of(await images.layers.names()),
        containers: sumOfLayers(await Promise.all(containers.all().map((c) => folderUsage(driver.upper(c.meta.id))))),
      }),
      info: ({ config }) => ({ imageSpec: config }),
      collectGarbage,
    });
    const server = await serveCri({
      endpoint: options.endpoint,
      runtime,
      image,
      ...(options.interceptors ? { interceptors: options.interceptors } : {}),
    });
    undo.push(() => server.close());
    let stopped: Promise<void> | undefined;
    return {
      endpoint: server.endpoint,
      runtime,
      image,
      handlers: runtimes.handlers,
      stop() {
        stopped ??= (async () => {
          await server.close();
          await streaming.close();
          stopWatching();
          await containers.detach();
        })();
        return stopped;
      },
      async destroyPods() {
        await Promise.all(sandboxes.all().map((s) => runtime.removePodSandbox({ $typeName: 'runtime.v1.RemovePodSandboxRequest', podSandboxId: s.id })));
      },
    };
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
}

/**
 * Load an image archive (OCI layout or `docker save`, plain or gzip) for the server of this `root`, which may be running.
 * Returns the names it can be run by.
 */
export async function importCrioImage(root: string, tar: Readable | AsyncIterable<Uint8Array>, options: ImportOptions = {}): Promise<string[]> {
  return importArchive(await ImageStore.open(join(root, 'images')), tar, options);
}
