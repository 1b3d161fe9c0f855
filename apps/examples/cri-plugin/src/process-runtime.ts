import { PassThrough, type Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  type CallContext,
  CgroupDriver,
  ContainerState,
  CriError,
  type ImageService,
  PodSandboxState,
  type PodSandboxConfig,
  type RuntimeService,
  StreamingServer,
} from '@coxswain/cri';
import type { Clock, Random } from '@coxswain/sdk';
import { exec } from './exec.js';
import { ProcessContainer } from './process-container.js';

interface Sandbox {
  readonly id: string;
  readonly config: PodSandboxConfig;
  readonly createdAt: number;
  ready: boolean;
}

const ns = (ms: number) => BigInt(Math.floor(ms)) * 1_000_000n;
const sandboxState = (s: Sandbox) => (s.ready ? PodSandboxState.SANDBOX_READY : PodSandboxState.SANDBOX_NOTREADY);

/** A runtime whose containers are processes of this machine, as they are: no image, no isolation, the machine's own network. */
export async function startProcessRuntime(clock: Clock, random: Random) {
  const sandboxes = new Map<string, Sandbox>();
  const containers = new Map<string, ProcessContainer>();
  const images = new Set<string>();
  const newId = () => Buffer.from(random.bytes(32)).toString('hex');
  const found = <T>(map: ReadonlyMap<string, T>, id: string): T => {
    const value = map.get(id);
    if (!value) throw new CriError('notFound', `there is no ${JSON.stringify(id)}`);
    return value;
  };
  const running = (id: string) => {
    const container = found(containers, id);
    if (container.state !== ContainerState.CONTAINER_RUNNING) throw new CriError('failedPrecondition', `container ${id} is not running`);
    return container;
  };
  const of = (sandboxId: string) => [...containers.values()].filter((c) => c.sandboxId === sandboxId);
  const streaming = await StreamingServer.start({
    clock,
    handler: {
      exec: ({ containerId, cmd }, session) => exec(running(containerId), cmd, session, session.signal),
      attach: () => Promise.reject(new Error('attach is not supported by this runtime')),
      portForward: (): Promise<Duplex> => Promise.reject(new Error('pods share the network of the machine: connect to the port itself')),
    },
  });
  const summary = (c: ProcessContainer) => ({
    id: c.id,
    ...(c.config.metadata ? { metadata: c.config.metadata } : {}),
    image: { image: c.config.image?.userSpecifiedImage || c.config.image?.image || '' },
    imageRef: c.config.image?.image ?? '',
    state: c.state,
    createdAt: ns(c.createdAt),
    labels: c.config.labels,
    annotations: c.config.annotations,
  });
  const stats = (c: ProcessContainer) => {
    const timestamp = ns(clock.now());
    const { cpu, memory } = c.usage();
    return {
      attributes: { id: c.id, ...(c.config.metadata ? { metadata: c.config.metadata } : {}), labels: c.config.labels, annotations: c.config.annotations },
      cpu: { timestamp, usageCoreNanoSeconds: { value: cpu } },
      memory: { timestamp, workingSetBytes: { value: memory } },
    };
  };
  const stopSandbox = async (sandbox: Sandbox) => {
    await Promise.all(of(sandbox.id).map((c) => c.stop(0)));
    sandbox.ready = false;
  };

  const runtime: RuntimeService = {
    version: async () => ({ version: '0.1.0', runtimeName: 'processes', runtimeVersion: '0.1.0', runtimeApiVersion: 'v1' }),
    status: async () => ({ status: { conditions: ['RuntimeReady', 'NetworkReady'].map((type) => ({ type, status: true, reason: '', message: '' })) } }),
    runtimeConfig: async () => ({ linux: { cgroupDriver: CgroupDriver.CGROUPFS } }),
    updateRuntimeConfig: async () => ({}),
    async runPodSandbox({ config }) {
      if (!config) throw new CriError('invalidArgument', 'a sandbox needs a config');
      const id = newId();
      sandboxes.set(id, { id, config, createdAt: clock.now(), ready: true });
      return { podSandboxId: id };
    },
    async stopPodSandbox({ podSandboxId }) {
      const sandbox = sandboxes.get(podSandboxId);
      if (sandbox) await stopSandbox(sandbox);
      return {};
    },
    async removePodSandbox({ podSandboxId }) {
      const sandbox = sandboxes.get(podSandboxId);
      if (sandbox) await stopSandbox(sandbox);
      for (const { id } of of(podSandboxId)) containers.delete(id);
      sandboxes.delete(podSandboxId);
      return {};
    },
    async podSandboxStatus({ podSandboxId }) {
      const s = found(sandboxes, podSandboxId);
      const { metadata, labels, annotations } = s.config;
      const status = { id: s.id, state: sandboxState(s), createdAt: ns(s.createdAt), network: { ip: '127.0.0.1' }, labels, annotations };
      return { status: { ...status, ...(metadata ? { metadata } : {}) } };
    },
    async listPodSandbox({ filter }) {
      const items = [...sandboxes.values()].filter((s) => !filter?.id || s.id === filter.id);
      return {
        items: items.map((s) => ({
          id: s.id,
          ...(s.config.metadata ? { metadata: s.config.metadata } : {}),
          state: sandboxState(s),
          createdAt: ns(s.createdAt),
          labels: s.config.labels,
        })),
      };
    },
    async createContainer({ podSandboxId, config }) {
      if (!config) throw new CriError('invalidArgument', 'a container needs a config');
      const sandbox = found(sandboxes, podSandboxId);
      const container = new ProcessContainer(newId(), podSandboxId, config, sandbox.config, clock);
      containers.set(container.id, container);
      return { containerId: container.id };
    },
    async startContainer({ containerId }) {
      await found(containers, containerId).start();
      return {};
    },
    async stopContainer({ containerId, timeout }) {
      await containers.get(containerId)?.stop(Number(timeout) * 1000);
      return {};
    },
    async removeContainer({ containerId }) {
      await containers.get(containerId)?.stop(0);
      containers.delete(containerId);
      return {};
    },
    async containerStatus({ containerId }) {
      const c = found(containers, containerId);
      const times = { startedAt: ns(c.startedAt), finishedAt: ns(c.finishedAt) };
      return { status: { ...summary(c), ...times, exitCode: c.exitCode, reason: c.reason, logPath: c.logPath, mounts: c.config.mounts } };
    },
    async listContainers({ filter }) {
      const wanted = [...containers.values()].filter(
        (c) => (!filter?.id || c.id === filter.id) && (!filter?.podSandboxId || c.sandboxId === filter.podSandboxId),
      );
      return { containers: wanted.map((c) => ({ ...summary(c), podSandboxId: c.sandboxId })) };
    },
    async execSync({ containerId, cmd, timeout }, context: CallContext) {
      const [stdout, stderr] = [new PassThrough(), new PassThrough()];
      const late = new AbortController();
      const cancel =
        timeout > 0n ? clock.setTimeout(() => late.abort(new CriError('deadlineExceeded', `timeout ${timeout}s exceeded`)), Number(timeout) * 1000) : () => {};
      try {
        const output = Promise.all([buffer(stdout), buffer(stderr)]);
        const outcome = await exec(running(containerId), cmd, { stdout, stderr }, AbortSignal.any([context.signal, late.signal]));
        stdout.end();
        stderr.end();
        const [out, err] = await output;
        return { stdout: out, stderr: err, exitCode: outcome.type === 'exit' ? outcome.code : 1 };
      } finally {
        cancel();
      }
    },
    exec: async (request) => ({ url: streaming.exec(request) }),
    attach: async (request) => ({ url: streaming.attach(request) }),
    portForward: async (request) => ({ url: streaming.portForward(request) }),
    updateContainerResources: () => Promise.reject(new CriError('unimplemented', 'processes have no limits here')),
    reopenContainerLog: async () => ({}),
    containerStats: async ({ containerId }) => ({ stats: stats(found(containers, containerId)) }),
    listContainerStats: async () => ({ stats: [...containers.values()].filter((c) => c.state === ContainerState.CONTAINER_RUNNING).map(stats) }),
  };

  const image: ImageService = {
    listImages: async () => ({ images: [...images].map((id) => ({ id, repoTags: [id], size: 1n })) }),
    imageStatus: async (request) => (images.has(request.image?.image ?? '') ? { image: { id: request.image?.image ?? '', size: 1n } } : {}),
    async pullImage(request) {
      const imageRef = request.image?.image ?? '';
      images.add(imageRef);
      return { imageRef };
    },
    async removeImage(request) {
      images.delete(request.image?.image ?? '');
      return {};
    },
    imageFsInfo: async () => ({ imageFilesystems: [] }),
  };

  return {
    runtime,
    image,
    /** Ends all processes. */
    async close() {
      await Promise.all([...sandboxes.values()].map(stopSandbox));
      await streaming.close();
    },
  };
}
