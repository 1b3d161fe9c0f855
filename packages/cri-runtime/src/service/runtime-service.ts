import type { Clock, Logger } from '@coxswain/sdk';
import {
  type AttachRequest,
  type CallContext,
  CgroupDriver,
  ContainerEventType,
  type ContainerStatsRequest,
  type ContainerStatusRequest,
  type ContainerStatsFilter,
  type CreateContainerRequest,
  CriError,
  type ExecRequest,
  type ExecSyncRequest,
  LinuxContainerConfigSchema,
  type ListContainersRequest,
  type ListContainerStatsRequest,
  type ListPodSandboxRequest,
  type ListPodSandboxStatsRequest,
  type PodSandboxStatsRequest,
  type PodSandboxStatusRequest,
  type PortForwardRequest,
  type RemoveContainerRequest,
  type RemovePodSandboxRequest,
  type ReopenContainerLogRequest,
  type RunPodSandboxRequest,
  type RuntimeService,
  type StartContainerRequest,
  type StatusRequest,
  type StopContainerRequest,
  type StopPodSandboxRequest,
  type StreamingServer,
  type UpdateContainerResourcesRequest,
  type UpdatePodSandboxResourcesRequest,
  type VersionRequest,
  type ContainerEventResponseSchema,
  matchesLabels,
} from '@coxswain/cri';
import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { ContainerRecord } from '../container/container-record.js';
import type { ContainerManager } from '../container/container-manager.js';
import type { ExecRunner } from '../container/exec.js';
import type { HostFacts } from '../container/host-facts.js';
import { mergeResources, specResources } from '../container/resources.js';
import type { RuntimeSpec, SpecResources } from '@coxswain/oci';
import type { SandboxManager } from '../sandbox/sandbox-manager.js';
import type { SandboxNetwork } from '../sandbox/sandbox-network.js';
import type { SandboxRecord } from '../sandbox/sandbox-record.js';
import type { CriEvents } from './cri-events.js';
import { execOutput } from './exec-output.js';
import { containerInfo, sandboxInfo } from './verbose-info.js';
import { MetricsReader } from './metrics.js';
import type { StatsReader } from './stats.js';
import { containerStatus, containerSummary, criState, sandboxState, sandboxStatus } from './status.js';

export type ContainerEvent = MessageInitShape<typeof ContainerEventResponseSchema>;

/** What a runtime tells about itself, and the calls that are all its own. */
export interface RuntimeEngine {
  /** `containerd`, `cri-o`. */
  readonly name: string;
  /** RuntimeClass handlers; the first is the default. */
  readonly handlers: readonly string[];
  version(): Promise<string>;
  /** Why it cannot run containers; undefined when it can. */
  problem(): Promise<string | undefined>;
  /** Change a running container's limits. */
  update(container: ContainerRecord, resources: SpecResources): Promise<void>;
  /** Change the limits that a container will start with. */
  updateCreated(container: ContainerRecord, resources: SpecResources): Promise<void>;
  /** What the OCI runtime is told of it, where that is known. */
  spec?(container: ContainerRecord): Promise<RuntimeSpec | undefined>;
  /** Go on in a new log file at the same path. */
  reopenLog(container: ContainerRecord): Promise<void>;
}

export interface RuntimeServiceDeps {
  readonly engine: RuntimeEngine;
  readonly sandboxes: SandboxManager;
  readonly containers: ContainerManager;
  readonly network: SandboxNetwork;
  readonly exec: ExecRunner;
  readonly streaming: StreamingServer;
  readonly stats: StatsReader;
  readonly events: CriEvents;
  readonly facts: HostFacts;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** CRI's RuntimeService. Each method is the translation of one call; the work is in the managers. */
export class ManagedRuntimeService implements RuntimeService {
  readonly #metrics: MetricsReader;

  constructor(private readonly deps: RuntimeServiceDeps) {
    this.#metrics = new MetricsReader(deps.facts, deps.clock, deps.stats);
  }

  async version(_request: VersionRequest) {
    const { engine } = this.deps;
    return { version: '0.1.0', runtimeName: engine.name, runtimeVersion: await engine.version(), runtimeApiVersion: 'v1' };
  }

  async runPodSandbox(request: RunPodSandboxRequest, context: CallContext) {
    if (!request.config) throw new CriError('invalidArgument', 'a sandbox needs a config');
    const { id } = await this.deps.sandboxes.run(request.config, request.runtimeHandler, context.signal);
    this.#podEvent(id, ContainerEventType.CONTAINER_CREATED_EVENT);
    this.#podEvent(id, ContainerEventType.CONTAINER_STARTED_EVENT);
    return { podSandboxId: id };
  }

  async stopPodSandbox(request: StopPodSandboxRequest) {
    const sandbox = this.deps.sandboxes.find(request.podSandboxId);
    if (sandbox) await this.#stopSandbox(sandbox);
    return {};
  }

  async removePodSandbox(request: RemovePodSandboxRequest) {
    const { sandboxes, containers, stats } = this.deps;
    const sandbox = sandboxes.find(request.podSandboxId);
    if (!sandbox) return {};
    await this.#stopSandbox(sandbox);
    await Promise.all(containers.ofSandbox(sandbox.id).map((c) => containers.remove(c)));
    await sandboxes.remove(sandbox);
    stats.forget(sandbox.id);
    this.#podEvent(sandbox.id, ContainerEventType.CONTAINER_DELETED_EVENT);
    return {};
  }

  async #stopSandbox(sandbox: SandboxRecord): Promise<void> {
    const { sandboxes, containers } = this.deps;
    await Promise.all(containers.ofSandbox(sandbox.id).map((c) => containers.stop(c, 0)));
    const wasReady = sandbox.state === 'ready';
    await sandboxes.stop(sandbox);
    if (wasReady) this.#podEvent(sandbox.id, ContainerEventType.CONTAINER_STOPPED_EVENT);
  }

  #podEvent(id: string, type: ContainerEventType): void {
    this.deps.events.publish(id, id, type);
  }

  async podSandboxStatus(request: PodSandboxStatusRequest) {
    const { sandboxes, containers } = this.deps;
    const sandbox = sandboxes.require(request.podSandboxId);
    const info = request.verbose ? sandboxInfo(sandbox) : {};
    return {
      status: sandboxStatus(sandbox),
      info,
      containersStatuses: containers.ofSandbox(sandbox.id).map(containerStatus),
      timestamp: BigInt(this.deps.clock.now()) * 1_000_000n,
    };
  }

  async listPodSandbox(request: ListPodSandboxRequest) {
    const { filter } = request;
    const items = this.deps.sandboxes
      .all()
      .filter(
        (s) =>
          (!filter?.id || s.id.startsWith(filter.id)) &&
          (!filter?.state || sandboxState(s) === filter.state.state) &&
          matchesLabels(s.config.labels, filter?.labelSelector),
      )
      .map((s) => ({
        id: s.id,
        ...(s.config.metadata ? { metadata: s.config.metadata } : {}),
        state: sandboxState(s),
        createdAt: s.createdAt,
        labels: s.config.labels,
        annotations: s.config.annotations,
        runtimeHandler: s.runtimeHandler,
      }));
    return { items };
  }

  async *streamPodSandboxes(request: { filter?: ListPodSandboxRequest['filter'] }) {
    yield { podSandboxes: (await this.listPodSandbox(request as ListPodSandboxRequest)).items };
  }

  async createContainer(request: CreateContainerRequest) {
    if (!request.config) throw new CriError('invalidArgument', 'a container needs a config');
    const sandbox = this.deps.sandboxes.require(request.podSandboxId);
    return { containerId: (await this.deps.containers.create(sandbox, request.config, request.sandboxConfig)).meta.id };
  }

  async startContainer(request: StartContainerRequest) {
    await this.deps.containers.start(this.deps.containers.require(request.containerId));
    return {};
  }

  async stopContainer(request: StopContainerRequest, context: CallContext) {
    const container = this.deps.containers.find(request.containerId);
    if (container) await this.deps.containers.stop(container, Number(request.timeout), context.signal);
    return {};
  }

  async removeContainer(request: RemoveContainerRequest) {
    const container = this.deps.containers.find(request.containerId);
    if (container) await this.deps.containers.remove(container);
    this.deps.stats.forget(request.containerId);
    return {};
  }

  async listContainers(request: ListContainersRequest) {
    const { filter } = request;
    const containers = this.deps.containers
      .all()
      .filter((c) => (!filter?.id || c.meta.id.startsWith(filter.id)) && (!filter?.podSandboxId || c.meta.sandboxId.startsWith(filter.podSandboxId)))
      .filter((c) => (!filter?.state || criState(c) === filter.state.state) && matchesLabels(c.meta.config.labels, filter?.labelSelector))
      .map(containerSummary);
    return { containers };
  }

  async *streamContainers(request: { filter?: ListContainersRequest['filter'] }) {
    yield await this.listContainers(request as ListContainersRequest);
  }

  async containerStatus(request: ContainerStatusRequest) {
    const container = this.deps.containers.require(request.containerId);
    const info = request.verbose ? containerInfo(container, await this.deps.engine.spec?.(container)) : {};
    return { status: containerStatus(container), info };
  }

  async updateContainerResources(request: UpdateContainerResourcesRequest) {
    const { containers, engine, facts } = this.deps;
    const container = containers.require(request.containerId);
    if (!request.linux) return {};
    if (container.status.state !== 'running' && container.status.state !== 'created')
      throw new CriError('unknown', `container ${container.meta.id} is not in created or running state`);
    const { config } = container.meta;
    const merged = mergeResources(config.linux?.resources, request.linux);
    const resources = specResources(merged, { hugetlb: facts.hugetlb, swap: facts.swapAccounting });
    await (container.status.state === 'running' ? engine.update(container, resources) : engine.updateCreated(container, resources));
    config.linux ??= create(LinuxContainerConfigSchema);
    config.linux.resources = merged;
    await containers.updated(container);
    return {};
  }

  async updatePodSandboxResources(request: UpdatePodSandboxResourcesRequest) {
    const sandbox = this.deps.sandboxes.require(request.podSandboxId);
    await this.deps.sandboxes.updateResources(sandbox, {
      ...(request.overhead ? { overhead: request.overhead } : {}),
      ...(request.resources ? { resources: request.resources } : {}),
    });
    return {};
  }

  async reopenContainerLog(request: ReopenContainerLogRequest) {
    const container = this.deps.containers.requireRunning(request.containerId);
    await this.deps.engine.reopenLog(container);
    return {};
  }

  async execSync(request: ExecSyncRequest, context: CallContext) {
    const container = this.deps.containers.requireRunning(request.containerId);
    checkCommand(request.cmd);
    const { stdout, stderr } = execOutput();
    const exitCode = await this.deps.exec.run(container.meta.id, {
      cmd: request.cmd,
      tty: false,
      stdout: stdout.stream,
      stderr: stderr.stream,
      timeoutMs: Number(request.timeout) * 1000,
      signal: context.signal,
    });
    return { stdout: stdout.bytes(), stderr: stderr.bytes(), exitCode };
  }

  async exec(request: ExecRequest) {
    this.deps.containers.requireRunning(request.containerId);
    checkCommand(request.cmd);
    return { url: this.deps.streaming.exec(request) };
  }

  async attach(request: AttachRequest) {
    this.deps.containers.requireRunning(request.containerId);
    return { url: this.deps.streaming.attach(request) };
  }

  async portForward(request: PortForwardRequest) {
    const sandbox = this.deps.sandboxes.require(request.podSandboxId);
    if (sandbox.state !== 'ready') throw new CriError('unknown', `sandbox container ${JSON.stringify(sandbox.id)} is not running`);
    return { url: this.deps.streaming.portForward(request) };
  }

  async containerStats(request: ContainerStatsRequest) {
    return { stats: await this.deps.stats.container(this.deps.containers.require(request.containerId)) };
  }

  async listContainerStats(request: ListContainerStatsRequest) {
    const wanted = this.deps.containers.all().filter((c) => matchesStats(c, request.filter) && c.status.state !== 'exited');
    return { stats: await Promise.all(wanted.map((c) => this.deps.stats.container(c))) };
  }

  async *streamContainerStats(request: { filter?: ListContainerStatsRequest['filter'] }) {
    yield { containerStats: (await this.listContainerStats(request as ListContainerStatsRequest)).stats };
  }

  async podSandboxStats(request: PodSandboxStatsRequest) {
    const sandbox = this.deps.sandboxes.require(request.podSandboxId);
    return { stats: await this.deps.stats.sandbox(sandbox, this.deps.containers.ofSandbox(sandbox.id)) };
  }

  async listPodSandboxStats(request: ListPodSandboxStatsRequest) {
    const { filter } = request;
    const wanted = this.deps.sandboxes
      .all()
      .filter((s) => s.state === 'ready' && (!filter?.id || s.id.startsWith(filter.id)) && matchesLabels(s.config.labels, filter?.labelSelector));
    return { stats: await Promise.all(wanted.map((s) => this.deps.stats.sandbox(s, this.deps.containers.ofSandbox(s.id)))) };
  }

  async *streamPodSandboxStats(request: { filter?: ListPodSandboxStatsRequest['filter'] }) {
    yield { podSandboxStats: (await this.listPodSandboxStats(request as ListPodSandboxStatsRequest)).stats };
  }

  async listMetricDescriptors() {
    return { descriptors: this.#metrics.descriptors() };
  }

  async listPodSandboxMetrics() {
    const { sandboxes, containers } = this.deps;
    const ready = sandboxes.all().filter((s) => s.state === 'ready');
    return { podMetrics: await Promise.all(ready.map((s) => this.#metrics.pod(s, containers.ofSandbox(s.id)))) };
  }

  async *streamPodSandboxMetrics() {
    yield { podSandboxMetrics: (await this.listPodSandboxMetrics()).podMetrics };
  }

  async updateRuntimeConfig() {
    // Pod CIDRs reach CNI through its configuration; there is nothing to tell the runtime. Upstream without a template does the same.
    return {};
  }

  async status(request: StatusRequest) {
    const { engine, network, facts, sandboxes } = this.deps;
    const [runtime, cni] = await Promise.all([engine.problem(), network.problem()]);
    const condition = (type: string, problem: string | undefined, reason: string) => ({
      type,
      status: problem === undefined,
      reason: problem === undefined ? '' : reason,
      message: problem ?? '',
    });
    const info: Record<string, string> = request.verbose
      ? { config: JSON.stringify({ cgroupVersion: facts.cgroups.version, appArmor: facts.appArmor, seccomp: facts.seccomp }) }
      : {};
    const handlers = ['', ...engine.handlers].map(async (name) => {
      const userNamespaces = (await sandboxes.usersProblem(name)) === undefined;
      return { name, features: { recursiveReadOnlyMounts: facts.recursiveReadOnly, userNamespaces } };
    });
    return {
      status: {
        conditions: [
          condition('RuntimeReady', runtime, 'RuntimeNotReady'),
          condition('NetworkReady', cni && `Network plugin returns error: ${cni}`, 'NetworkPluginNotReady'),
        ],
      },
      info,
      runtimeHandlers: await Promise.all(handlers),
      features: { supplementalGroupsPolicy: true },
    };
  }

  async runtimeConfig() {
    return { linux: { cgroupDriver: CgroupDriver.CGROUPFS } };
  }

  getContainerEvents(_request: unknown, context: CallContext) {
    return this.deps.events.hub.subscribe(context.signal);
  }
}

function checkCommand(cmd: readonly string[]): void {
  if (cmd.length === 0) throw new CriError('invalidArgument', 'no command was given');
}

function matchesStats(container: ContainerRecord, filter: ContainerStatsFilter | undefined): boolean {
  return (
    (!filter?.id || container.meta.id.startsWith(filter.id)) &&
    (!filter?.podSandboxId || container.meta.sandboxId.startsWith(filter.podSandboxId)) &&
    matchesLabels(container.meta.config.labels, filter?.labelSelector)
  );
}
