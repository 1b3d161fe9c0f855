import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { ContainerEventType, type ImageService, type RuntimeService, serveCri, StreamingServer } from '@coxswain/cri';
import {
  ContainerManager,
  type CriServerOptions,
  CriEvents,
  folderUsage,
  hostFacts,
  ManagedRuntimeService,
  type RuntimeEngine,
  RuntimeStreaming,
  SandboxManager,
  SandboxNetwork,
  StatsReader,
} from '@coxswain/cri-runtime';
import { type Clock, silentLogger, systemClock, systemRandom } from '@coxswain/sdk';
import { attachSession } from './container/attach.js';
import { DockerDriver } from './container/docker-driver.js';
import { DockerExec } from './container/exec.js';
import { ExecEnds } from './container/exec-ends.js';
import { requireEngine } from './engine/connect.js';
import { Engine } from './engine/engine.js';
import { followEvents } from './engine/follow-events.js';
import type { EngineEvent } from './engine/engine-types.js';
import { DockerImageService } from './images/image-service.js';
import { importDockerImage as importInto } from './images/load.js';
import { DockerHolder } from './sandbox/docker-holder.js';
import { ensurePauseImage } from './sandbox/pause-image.js';

/** `root` holds pods' files and statuses; what containers are, the engine keeps. */
export interface DockershimOptions extends CriServerOptions {
  /** The Docker Engine's socket, a path. */
  readonly engineSocket: string;
  /** How long the engine may take to answer. Default 120 s. */
  readonly engineTimeoutMs?: number;
}

/** A running CRI server over the Docker Engine. */
export interface Dockershim {
  readonly endpoint: string;
  readonly runtime: RuntimeService;
  readonly image: ImageService;
  /** RuntimeClass handlers, the engine's runtimes; the default first. */
  readonly handlers: readonly string[];
  /** Stop serving; containers go on and are found again by the next server. */
  stop(): Promise<void>;
  /** Stop and remove every pod: for taking a node down. Then `stop`. */
  destroyPods(): Promise<void>;
}

const PING_MS = 5000;

/** Start the CRI server: check the engine, find everything again that is there, then serve. */
export async function startDockershim(options: DockershimOptions): Promise<Dockershim> {
  const { clock = systemClock, random = systemRandom, logger = silentLogger, root, state } = options;
  const engine = new Engine({ socket: options.engineSocket, clock, ...(options.engineTimeoutMs === undefined ? {} : { timeoutMs: options.engineTimeoutMs }) });
  const undo: (() => unknown)[] = [() => engine.close()];
  try {
    const info = await requireEngine(engine);
    await Promise.all([join(root, 'sandboxes'), join(root, 'containers'), state].map((dir) => mkdir(dir, { recursive: true, mode: 0o711 })));
    const [hostOwn, pauseImage, lastCapability] = await Promise.all([hostFacts(), ensurePauseImage(engine), readFile('/proc/sys/kernel/cap_last_cap', 'utf8')]);
    // The engine learnt recursive read-only mounts in its version 25.
    const facts = { ...hostOwn, recursiveReadOnly: false };
    const handlers = [info.DefaultRuntime, ...Object.keys(info.Runtimes).filter((name) => name !== info.DefaultRuntime)];
    const network = new SandboxNetwork({ ...options.cni, cacheDir: options.cni.cacheDir ?? join(root, 'cni') });
    const stateDir = join(state, 'sandboxes');
    const holder = new DockerHolder({ engine, pauseImage, stateDir, clock, random });
    const sandboxes = new SandboxManager({ rootDir: join(root, 'sandboxes'), stateDir, network, holder, handlers, clock, logger });
    const events = new CriEvents(clock);
    const failed = (error: unknown) => logger.error('handling the end of a container failed', { err: error });
    const driver = new DockerDriver({
      engine,
      logsDir: join(state, 'logs'),
      imageMountsDir: join(state, 'image-mounts'),
      clock,
      random,
      logger,
      allCapabilities: facts.capabilities.length > Number(lastCapability),
      facts,
      onEnded: (id) => void containers.processExited(id).catch(failed),
    });
    const containers: ContainerManager = new ContainerManager({
      driver,
      sandboxes,
      rootDir: join(root, 'containers'),
      facts,
      clock,
      random,
      logger,
      onEvent: events.publish,
    }) as ContainerManager;
    events.connect(sandboxes, containers);
    const execEnds = new ExecEnds();
    const sandboxEnded = async (id: string) => {
      const sandbox = await sandboxes.pauseExited(id);
      if (sandbox) events.publish(sandbox.id, sandbox.id, ContainerEventType.CONTAINER_STOPPED_EVENT);
    };
    const onEvent = ({ Action, Actor: { ID, Attributes } }: EngineEvent) => {
      if (Action === 'oom') containers.oomKilled(ID);
      else if (Action === 'exec_die') execEnds.ended(Attributes['execID'] ?? '');
      else if (sandboxes.find(ID)) void sandboxEnded(ID).catch(failed);
      else void containers.processExited(ID).catch(failed);
    };
    const resync = async () => {
      await containers.resync();
      for (const sandbox of sandboxes.all()) if (sandbox.state === 'ready' && !(await holder.alive(sandbox))) await sandboxEnded(sandbox.id);
    };
    // Following before looking, so that no end falls between the two.
    const stopEvents = followEvents(engine, { event: onEvent, resync: () => void resync().catch(failed) }, { clock, logger });
    undo.push(stopEvents);
    await sandboxes.recover();
    await containers.recover();
    await containers.resync();
    const exec = new DockerExec(engine, execEnds, clock);
    const streaming = await StreamingServer.start({
      handler: new RuntimeStreaming({ containers, sandboxes, exec, attach: (container, session) => attachSession(engine, container, session) }),
      clock,
      ...(options.streamingAddress ? { address: options.streamingAddress } : {}),
    });
    undo.push(() => streaming.close());
    const written = async (id: string) => {
      const upper = await driver.upper(id);
      return upper === undefined ? undefined : folderUsage(upper);
    };
    const runtimeEngine: RuntimeEngine = {
      name: 'docker',
      handlers,
      version: async () => (await engine.version()).Version,
      problem: () =>
        engine.ping(PING_MS).then(
          () => undefined,
          (error: Error) => error.message,
        ),
      update: (container, resources) => driver.update(container, resources),
      updateCreated: (container, resources) => driver.updateCreated(container, resources),
      reopenLog: (container) => driver.reopenLog(container),
    };
    const stats = new StatsReader(written, facts, clock, info.DockerRootDir);
    const runtime = new ManagedRuntimeService({
      engine: runtimeEngine,
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
    const image = new DockerImageService({ engine, clock, root: info.DockerRootDir });
    const server = await serveCri({ endpoint: options.endpoint, runtime, image, ...(options.interceptors ? { interceptors: options.interceptors } : {}) });
    undo.push(() => server.close());
    let stopped: Promise<void> | undefined;
    return {
      endpoint: server.endpoint,
      runtime,
      image,
      handlers,
      stop() {
        stopped ??= (async () => {
          await server.close();
          await streaming.close();
          await stopEvents();
          await containers.detach();
          engine.close();
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
 * Load an image archive (OCI layout or `docker save`, plain or gzip) into the engine on this socket. Returns the names it can be run by.
 */
export async function importDockerImage(engineSocket: string, tar: Readable | AsyncIterable<Uint8Array>, clock: Clock = systemClock): Promise<string[]> {
  const engine = new Engine({ socket: engineSocket, clock });
  try {
    return await importInto(engine, tar);
  } finally {
    engine.close();
  }
}
