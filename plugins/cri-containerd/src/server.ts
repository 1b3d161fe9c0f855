import { existsSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ContainerEventType, type ImageService, isRpcError, type RpcServer, type RuntimeService, serveCri, StreamingServer } from '@coxswain/cri';
import {
  changeResources,
  ContainerManager,
  type CriServerOptions,
  CriEvents,
  type HostFacts,
  hostFacts,
  ManagedRuntimeService,
  type OciServerOptions,
  pauseId,
  pinnedSandboxes,
  type RuntimeEngine,
  RuntimeStreaming,
  specWithLimits,
  StatsReader,
  StoredImages,
} from '@coxswain/cri-runtime';
import { silentLogger, systemClock, systemRandom } from '@coxswain/sdk';
import { attachSession } from './container/attach.js';
import { ContainerdDriver } from './container/containerd-driver.js';
import { ContainerdExec } from './container/exec.js';
import { ImageMounts } from './container/image-volumes.js';
import { jsonAny, SpecType } from './containerd/any.js';
import { connectContainerd, type Containerd, KUBERNETES_NAMESPACE } from './containerd/client.js';
import { ShimRuntimes } from './containerd/shim-runtimes.js';
import { followTaskEvents } from './containerd/task-events.js';
import { ImageStore } from './images/image-store.js';
import { Puller } from './images/pull.js';
import { SnapshotUsage } from './images/snapshot-usage.js';
import { Unpacker } from './images/unpack.js';
import { Keeper } from './io/keeper.js';
import { PauseContainers, SHIM_GROUP } from './sandbox/pause.js';

export interface CriContainerdOptions extends CriServerOptions, OciServerOptions {
  /** containerd's socket. */
  readonly containerdSocket: string;
  /** containerd's `root`, for file system figures. */
  readonly containerdRoot?: string;
  readonly namespace?: string;
  readonly snapshotter?: string;
}

/** A running CRI server over containerd. */
export interface CriContainerd {
  readonly endpoint: string;
  readonly runtime: RuntimeService;
  readonly image: ImageService;
  readonly containerd: Containerd;
  /** Stop serving; containers go on and are adopted by the next server of the same folders. */
  stop(): Promise<void>;
  /** Stop and remove every pod, and end the helper process: for taking a node down. Then `stop`. */
  destroyPods(): Promise<void>;
}

/** Start the CRI server: recover what is there, then serve. */
export async function startCriContainerd(options: CriContainerdOptions): Promise<CriContainerd> {
  const { clock = systemClock, random = systemRandom, logger = silentLogger, snapshotter = 'overlayfs', namespace = KUBERNETES_NAMESPACE } = options;
  const { root, state } = options;
  await Promise.all([
    mkdir(join(root, 'sandboxes'), { recursive: true, mode: 0o711 }),
    mkdir(join(root, 'containers'), { recursive: true, mode: 0o711 }),
    mkdir(join(state, 'io'), { recursive: true, mode: 0o711 }),
  ]);
  const undo: (() => unknown)[] = [];
  try {
    const containerd = connectContainerd({ socket: options.containerdSocket, namespace, clock });
    undo.push(() => containerd.close());
    await containerd.namespaces.create({ namespace: { name: namespace, labels: {} } }).catch(() => {});
    const [facts, keeper] = await Promise.all([hostFacts(), Keeper.start(state, join(root, 'bin'))]);
    undo.push(() => keeper.close());
    const images = new ImageStore(containerd);
    const unpacker = new Unpacker(containerd, snapshotter, random);
    const puller = new Puller({ containerd, store: images, unpacker, snapshotter, clock, random, ...(options.registry ? { registry: options.registry } : {}) });
    const runtimes = await ShimRuntimes.open({
      dir: join(root, 'bin'),
      stateDir: join(state, 'oci'),
      cgroups: facts.cgroups,
      ...(options.runtimes ? { runtimes: options.runtimes } : {}),
    });
    const pause = new PauseContainers(containerd, runtimes, join(root, 'pause'));
    await pause.prepare();
    const program = (handler: string) => runtimes.require(handler).program;
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
    const imageMounts = new ImageMounts(containerd, images, snapshotter, join(state, 'image-mounts'), mappedLayers);
    const driver = new ContainerdDriver({
      containerd,
      runtimes,
      images,
      imageMounts,
      keeper,
      mappedLayers,
      snapshotter,
      stateDir: join(state, 'io'),
      clock,
      logger,
    });
    const containers = new ContainerManager({
      driver,
      sandboxes,
      mapped,
      rootDir: join(root, 'containers'),
      facts,
      clock,
      random,
      logger,
      annotations: (sandbox) => ({ [SHIM_GROUP]: sandbox.id }),
      onEvent: events.publish,
    });
    events.connect(sandboxes, containers);
    const stopping = new AbortController();
    undo.push(() => stopping.abort());
    // Listening before looking, so that no exit falls between the two.
    const failed = (error: unknown) => logger.error('handling a task event failed', { err: error });
    const pauseOwners = () => new Map(sandboxes.all().map((s) => [pauseId(s.id), s]));
    const following = followTaskEvents(
      containerd,
      namespace,
      {
        exit: (id) => {
          if (!id.startsWith('pause-')) return void containers.processExited(id).catch(failed);
          const sandbox = pauseOwners().get(id);
          if (sandbox) void sandboxes.pauseExited(sandbox.id).then((s) => s && events.publish(s.id, s.id, ContainerEventType.CONTAINER_STOPPED_EVENT), failed);
        },
        oom: (id) => containers.oomKilled(id),
        resync: () => void containers.resync().catch(failed),
      },
      { clock, logger },
      stopping.signal,
    );
    await sandboxes.recover();
    await containers.recover();
    await containers.resync();
    await removeStrays(join(state, 'io'), new Set(containers.all().map((c) => c.meta.id)));
    const exec = new ContainerdExec(containerd, join(state, 'io'), clock, random);
    const streaming = await StreamingServer.start({
      handler: new RuntimeStreaming({ containers, sandboxes, exec, attach: async (c, session) => attachSession(containerd, c, driver.io(c.meta.id), session) }),
      clock,
      ...(options.streamingAddress ? { address: options.streamingAddress } : {}),
    });
    undo.push(() => streaming.close());
    const containerdRoot = options.containerdRoot ?? '/var/lib/containerd';
    const snapshots = join(containerdRoot, `io.containerd.snapshotter.v1.${snapshotter}`);
    const stats = new StatsReader(layerUsage(containerd, snapshotter), facts, clock, snapshots);
    const runtime = new ManagedRuntimeService({
      engine: containerdEngine(containerd, driver, runtimes.handlers, facts),
      sandboxes,
      containers,
      network,
      exec,
      streaming,
      stats,
      events,
      facts,
      clock,
      logger,
    });
    const usage = new SnapshotUsage(containerd, snapshotter, layerUsage(containerd, snapshotter));
    const image = new StoredImages({
      store: images,
      pull: (reference, credentials, signal) => puller.pull(reference, credentials, signal),
      clock,
      // Made with the first image.
      folder: async () => (existsSync(snapshots) ? snapshots : containerdRoot),
      usage: () => usage.read(),
      info: ({ chainId, config }) => ({ chainID: chainId, imageSpec: config }),
    });
    const server: RpcServer = await serveCri({
      endpoint: options.endpoint,
      runtime,
      image,
      ...(options.interceptors ? { interceptors: options.interceptors } : {}),
    });
    undo.push(() => server.close());
    let stopped: Promise<void> | undefined;
    let destroyed = false;
    return {
      endpoint: server.endpoint,
      runtime,
      image,
      containerd,
      stop() {
        stopped ??= (async () => {
          await server.close();
          await streaming.close();
          stopping.abort();
          await containers.detach();
          await following;
          if (!destroyed) keeper.close();
          containerd.close();
        })();
        return stopped;
      },
      async destroyPods() {
        await Promise.all(sandboxes.all().map((s) => runtime.removePodSandbox({ $typeName: 'runtime.v1.RemovePodSandboxRequest', podSandboxId: s.id })));
        keeper.stop();
        destroyed = true;
      },
    };
  } catch (error) {
    for (const step of undo.reverse()) await step();
    throw error;
  }
}

/** Pipes of execs and containers that are no more. */
async function removeStrays(dir: string, known: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(dir)) if (!known.has(name)) await rm(join(dir, name), { recursive: true, force: true });
}

const layerUsage = (containerd: Containerd, snapshotter: string) => async (key: string) => {
  try {
    return await containerd.snapshots.usage({ snapshotter, key });
  } catch (error) {
    if (isRpcError(error, 'notFound')) return undefined;
    throw error;
  }
};

function containerdEngine(containerd: Containerd, driver: ContainerdDriver, handlers: readonly string[], facts: HostFacts): RuntimeEngine {
  return {
    name: 'containerd',
    handlers,
    version: async () => (await containerd.version.version({})).version,
    problem: () =>
      containerd.version.version({}, { timeoutMs: 5000 }).then(
        () => undefined,
        (error: Error) => error.message,
      ),
    update: ({ meta: { id, cgroupsPath } }, resources) =>
      changeResources(resources, { path: cgroupsPath, layout: facts.cgroups }, async (changed) => {
        await containerd.tasks.update({ containerId: id, resources: jsonAny(SpecType.resources, changed) });
      }),
    updateCreated: ({ meta: { id } }, resources) => driver.updateSpec(id, (spec) => specWithLimits(spec, resources)),
    spec: ({ meta: { id } }) => driver.spec(id),
    reopenLog: async (container) => driver.io(container.meta.id)?.reopenLog(),
  };
}
