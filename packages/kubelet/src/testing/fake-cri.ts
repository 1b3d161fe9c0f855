import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  type ContainerConfigSchema,
  ContainerEventResponseSchema,
  ContainerEventType,
  ContainerState,
  type ContainerStatus,
  ContainerStatusSchema,
  type CriConnection,
  CriError,
  ImageSchema,
  type PodSandboxConfigSchema,
  PodSandboxState,
  type PodSandboxStatus,
  PodSandboxStatusSchema,
} from '@coxswain/cri';
import type { Clock } from '@coxswain/sdk';

interface FakeContainer {
  status: ContainerStatus;
  readonly sandboxId: string;
  readonly config: MessageInitShape<typeof ContainerConfigSchema>;
}

interface FakeSandbox {
  status: PodSandboxStatus;
  readonly config: MessageInitShape<typeof PodSandboxConfigSchema>;
}

/** A container runtime in memory: containers run until told to end. Every call is written to `calls`. */
export class FakeCri {
  readonly calls: string[] = [];
  readonly sandboxes = new Map<string, FakeSandbox>();
  readonly containers = new Map<string, FakeContainer>();
  readonly images = new Map<string, { id: string; user?: bigint }>();
  /** Method → what it throws, until removed. */
  readonly failures = new Map<string, Error>();
  networkReady = true;
  execResult = (_id: string, _cmd: readonly string[]) => ({ exitCode: 0, stdout: '' });
  #next = 1;
  #listeners = new Set<(event: ReturnType<FakeCri['event']>) => void>();

  constructor(
    private readonly clock: Clock,
    private readonly events = true,
  ) {
    this.images.set('busybox:1', { id: 'sha256:busybox' });
  }

  get connection(): CriConnection {
    return { runtime: this.#runtime(), image: this.#image(), close: () => {} } as unknown as CriConnection;
  }

  container(name: string): FakeContainer {
    const found = [...this.containers.values()].filter((c) => c.config.metadata?.name === name).at(-1);
    if (!found) throw new Error(`no container ${name}`);
    return found;
  }

  running(): string[] {
    return [...this.containers.values()].filter((c) => c.status.state === ContainerState.CONTAINER_RUNNING).map((c) => c.config.metadata?.name ?? '');
  }

  /** End a container's process. */
  exit(name: string, exitCode: number): void {
    const c = this.container(name);
    this.#ended(c, exitCode);
  }

  #ended(c: FakeContainer, exitCode: number): void {
    c.status = create(ContainerStatusSchema, {
      ...c.status,
      state: ContainerState.CONTAINER_EXITED,
      exitCode,
      finishedAt: this.#now(),
      reason: exitCode === 0 ? 'Completed' : 'Error',
    });
    this.#emit(c, ContainerEventType.CONTAINER_STOPPED_EVENT);
  }

  #now(): bigint {
    return BigInt(this.clock.now()) * 1_000_000n;
  }

  event(c: FakeContainer, type: ContainerEventType) {
    return create(ContainerEventResponseSchema, {
      containerId: c.status.id,
      containerEventType: type,
      podSandboxStatus: this.sandboxes.get(c.sandboxId)?.status,
      containersStatuses: [...this.containers.values()].filter((x) => x.sandboxId === c.sandboxId).map((x) => x.status),
    });
  }

  #emit(c: FakeContainer, type: ContainerEventType): void {
    for (const listener of this.#listeners) listener(this.event(c, type));
  }

  #call(method: string, detail = ''): void {
    this.calls.push(detail ? `${method} ${detail}` : method);
    const failure = this.failures.get(method);
    if (failure) throw failure;
  }

  #find(id: string): FakeContainer {
    const c = this.containers.get(id);
    if (!c) throw new CriError('notFound', `no container ${id}`);
    return c;
  }

  #runtime() {
    return {
      version: async () => ({ runtimeName: 'containerd', runtimeVersion: '9.9' }),
      status: async () => {
        const failure = this.failures.get('status');
        if (failure) throw failure;
        const condition = (type: string, status: boolean) => ({
          type,
          status,
          reason: status ? '' : 'NetworkPluginNotReady',
          message: status ? '' : 'cni plugin not initialized',
        });
        return { status: { conditions: [condition('RuntimeReady', true), condition('NetworkReady', this.networkReady)] }, runtimeHandlers: [] };
      },
      updateRuntimeConfig: async () => ({}),
      listPodSandbox: async () => ({
        items: [...this.sandboxes.values()].map(({ status }) => ({ id: status.id, metadata: status.metadata, state: status.state, labels: status.labels })),
      }),
      listContainers: async () => ({
        containers: [...this.containers.values()].map((c) => ({ id: c.status.id, podSandboxId: c.sandboxId, state: c.status.state, labels: c.status.labels })),
      }),
      runPodSandbox: async ({ config }: { config: MessageInitShape<typeof PodSandboxConfigSchema> }) => {
        this.#call('runPodSandbox', config.metadata?.name);
        const id = `s${this.#next++}`;
        const status = create(PodSandboxStatusSchema, {
          id,
          metadata: config.metadata,
          state: PodSandboxState.SANDBOX_READY,
          createdAt: this.#now(),
          network: { ip: `10.0.0.${this.#next}` },
          linux: { namespaces: { options: config.linux?.securityContext?.namespaceOptions } },
          labels: config.labels,
        });
        this.sandboxes.set(id, { status, config });
        return { podSandboxId: id };
      },
      podSandboxStatus: async ({ podSandboxId }: { podSandboxId: string }) => {
        const found = this.sandboxes.get(podSandboxId);
        if (!found) throw new CriError('notFound', 'no sandbox');
        return { status: found.status };
      },
      stopPodSandbox: async ({ podSandboxId }: { podSandboxId: string }) => {
        this.#call('stopPodSandbox');
        const found = this.sandboxes.get(podSandboxId);
        if (!found) return {};
        for (const c of this.containers.values()) if (c.sandboxId === podSandboxId && c.status.state === ContainerState.CONTAINER_RUNNING) this.#ended(c, 137);
        found.status = create(PodSandboxStatusSchema, { ...found.status, state: PodSandboxState.SANDBOX_NOTREADY });
        return {};
      },
      removePodSandbox: async ({ podSandboxId }: { podSandboxId: string }) => {
        this.#call('removePodSandbox');
        this.sandboxes.delete(podSandboxId);
        for (const [id, c] of this.containers) if (c.sandboxId === podSandboxId) this.containers.delete(id);
        return {};
      },
      createContainer: async ({ podSandboxId, config }: { podSandboxId: string; config: MessageInitShape<typeof ContainerConfigSchema> }) => {
        this.#call('createContainer', `${config.metadata?.name}#${config.metadata?.attempt}`);
        const id = `c${this.#next++}`;
        const status = create(ContainerStatusSchema, {
          id,
          metadata: config.metadata,
          state: ContainerState.CONTAINER_CREATED,
          createdAt: this.#now(),
          image: { image: config.image?.userSpecifiedImage },
          imageRef: config.image?.image,
          labels: config.labels,
          annotations: config.annotations,
          mounts: config.mounts,
          logPath: `/none/${config.logPath}`,
        });
        this.containers.set(id, { status, sandboxId: podSandboxId, config });
        return { containerId: id };
      },
      startContainer: async ({ containerId }: { containerId: string }) => {
        const c = this.#find(containerId);
        this.#call('startContainer', c.config.metadata?.name);
        c.status = create(ContainerStatusSchema, { ...c.status, state: ContainerState.CONTAINER_RUNNING, startedAt: this.#now() });
        this.#emit(c, ContainerEventType.CONTAINER_STARTED_EVENT);
        return {};
      },
      stopContainer: async ({ containerId, timeout }: { containerId: string; timeout: bigint }) => {
        const c = this.#find(containerId);
        this.#call('stopContainer', `${c.config.metadata?.name} ${timeout}s`);
        if (c.status.state === ContainerState.CONTAINER_RUNNING) this.#ended(c, 143);
        return {};
      },
      removeContainer: async ({ containerId }: { containerId: string }) => {
        this.#call('removeContainer');
        this.containers.delete(containerId);
        return {};
      },
      containerStatus: async ({ containerId }: { containerId: string }) => ({ status: this.#find(containerId).status }),
      updateContainerResources: async () => {
        this.#call('updateContainerResources');
        return {};
      },
      execSync: async ({ containerId, cmd }: { containerId: string; cmd: string[] }) => {
        this.#call('execSync', `${this.#find(containerId).config.metadata?.name} ${cmd.join(' ')}`);
        const { exitCode, stdout } = this.execResult(containerId, cmd);
        return { exitCode, stdout: Buffer.from(stdout), stderr: Buffer.alloc(0) };
      },
      listContainerStats: async () => ({ stats: [] }),
      getContainerEvents: (_request: object, options: { signal: AbortSignal }) => this.#stream(options.signal),
    };
  }

  async *#stream(signal: AbortSignal) {
    if (!this.events) throw new CriError('unimplemented', 'no events');
    const queue: ReturnType<FakeCri['event']>[] = [];
    let wake = () => {};
    const listener = (event: ReturnType<FakeCri['event']>) => {
      queue.push(event);
      wake();
    };
    this.#listeners.add(listener);
    signal.addEventListener('abort', () => wake(), { once: true });
    try {
      while (!signal.aborted) {
        const event = queue.shift();
        if (event) yield event;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.#listeners.delete(listener);
    }
  }

  #image() {
    const message = (name: string) => {
      const found = this.images.get(name) ?? [...this.images.values()].find((i) => i.id === name);
      return found
        ? create(ImageSchema, { id: found.id, repoTags: [name], size: 1000n, ...(found.user !== undefined ? { uid: { value: found.user } } : {}) })
        : undefined;
    };
    return {
      imageStatus: async ({ image }: { image: { image: string } }) => ({ image: message(image.image) }),
      pullImage: async ({ image }: { image: { image: string } }) => {
        this.#call('pullImage', image.image);
        this.images.set(image.image, { id: `sha256:${image.image}` });
        return { imageRef: `sha256:${image.image}` };
      },
      listImages: async () => ({ images: [] }),
      imageFsInfo: async () => ({ imageFilesystems: [] }),
      removeImage: async () => ({}),
    };
  }
}
