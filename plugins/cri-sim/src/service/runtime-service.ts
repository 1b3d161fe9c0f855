import {
  type AttachRequest,
  type CallContext,
  CgroupDriver,
  type ContainerStatsFilter,
  type ContainerStatsRequest,
  type ContainerStatusRequest,
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
  type StopContainerRequest,
  type StopPodSandboxRequest,
  type StreamingServer,
  type UpdateContainerResourcesRequest,
  type UpdateRuntimeConfigRequest,
  matchesLabels,
} from '@coxswain/cri';
import { create } from '@bufbuild/protobuf';
import type { Clock } from '@coxswain/sdk';
import type { SandboxRecord } from '../sim/records.js';
import type { SimContainer } from '../sim/sim-container.js';
import type { Simulation } from '../sim/simulation.js';
import { checkCommand, execSync } from './exec.js';
import type { SimImageService } from './image-service.js';
import { containerState, containerStatus, containerSummary, nanoseconds, sandboxState, sandboxStatus } from './messages.js';

export const SIM_VERSION = '0.1.0';

export interface SimRuntimeDeps {
  readonly simulation: Simulation;
  readonly images: SimImageService;
  readonly clock: Clock;
  readonly saveResources: (container: SimContainer) => void;
  /** Started when first asked for. */
  readonly streaming: () => Promise<StreamingServer>;
}

/** CRI's RuntimeService over a simulation. */
export class SimRuntimeService implements RuntimeService {
  constructor(private readonly deps: SimRuntimeDeps) {}

  async version() {
    return { version: '0.1.0', runtimeName: 'cri-sim', runtimeVersion: SIM_VERSION, runtimeApiVersion: 'v1' };
  }

  async status() {
    const network = this.deps.simulation.addresses.cidr !== '';
    return {
      status: {
        conditions: [
          { type: 'RuntimeReady', status: true, reason: '', message: '' },
          { type: 'NetworkReady', status: network, reason: network ? '' : 'NetworkPluginNotReady', message: network ? '' : 'the pod network is not known yet' },
        ],
      },
      runtimeHandlers: [{ name: '', features: { recursiveReadOnlyMounts: false, userNamespaces: false } }],
      features: { supplementalGroupsPolicy: false },
    };
  }

  async runtimeConfig() {
    return { linux: { cgroupDriver: CgroupDriver.CGROUPFS } };
  }

  /** The kubelet says where pods get their addresses from. The first IPv4 network counts. */
  async updateRuntimeConfig(request: UpdateRuntimeConfigRequest) {
    const asked = (request.runtimeConfig?.networkConfig?.podCidr ?? '').split(',').find((cidr) => cidr.includes('.'));
    if (asked) this.deps.simulation.addresses.cidr = asked;
    return {};
  }

  async runPodSandbox(request: RunPodSandboxRequest, context: CallContext) {
    if (!request.config) throw new CriError('invalidArgument', 'a sandbox needs a config');
    const { name, uid } = request.config.metadata ?? {};
    if (!name || !uid) throw new CriError('invalidArgument', 'the sandbox config must have metadata with name and uid');
    return { podSandboxId: (await this.deps.simulation.runSandbox(request.config, request.runtimeHandler, context.signal)).id };
  }

  async stopPodSandbox(request: StopPodSandboxRequest) {
    const found = this.deps.simulation.findSandbox(request.podSandboxId);
    if (found) await this.deps.simulation.stopSandbox(found);
    return {};
  }

  async removePodSandbox(request: RemovePodSandboxRequest) {
    const found = this.deps.simulation.findSandbox(request.podSandboxId);
    if (found) await this.deps.simulation.removeSandbox(found);
    return {};
  }

  async podSandboxStatus(request: PodSandboxStatusRequest) {
    const { simulation } = this.deps;
    const found = simulation.sandbox(request.podSandboxId);
    return { status: sandboxStatus(found), containersStatuses: simulation.containersOf(found.id).map((c) => containerStatus(c.record)) };
  }

  async listPodSandbox({ filter }: ListPodSandboxRequest) {
    const items = this.deps.simulation
      .sandboxes()
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
        createdAt: nanoseconds(s.createdAt),
        labels: s.config.labels,
        annotations: s.config.annotations,
        runtimeHandler: s.runtimeHandler,
      }));
    return { items };
  }

  async createContainer(request: CreateContainerRequest) {
    const { simulation, images } = this.deps;
    const { config } = request;
    if (!config) throw new CriError('invalidArgument', 'a container needs a config');
    if (!config.metadata?.name) throw new CriError('invalidArgument', 'the container config must have metadata with a name');
    const sandbox = simulation.sandbox(request.podSandboxId);
    const reference = config.image?.image ?? '';
    if (reference === '') throw new CriError('invalidArgument', 'the container config must name an image');
    const image = images.find(reference);
    if (!image) throw new CriError('notFound', `failed to resolve image ${JSON.stringify(reference)}: not found`);
    const ref = [...image.digests][0] ?? image.id;
    return { containerId: simulation.createContainer(sandbox, config, { id: image.id, ref }).record.id };
  }

  async startContainer(request: StartContainerRequest, context: CallContext) {
    await this.deps.simulation.container(request.containerId).start(context.signal);
    return {};
  }

  async stopContainer(request: StopContainerRequest) {
    await this.deps.simulation.findContainer(request.containerId)?.stop(Number(request.timeout) * 1000);
    return {};
  }

  async removeContainer(request: RemoveContainerRequest) {
    const found = this.deps.simulation.findContainer(request.containerId);
    if (found) await this.deps.simulation.removeContainer(found);
    return {};
  }

  async listContainers({ filter }: ListContainersRequest) {
    const containers = this.deps.simulation
      .containers()
      .map((c) => c.record)
      .filter(
        (r) =>
          (!filter?.id || r.id.startsWith(filter.id)) &&
          (!filter?.podSandboxId || r.sandboxId.startsWith(filter.podSandboxId)) &&
          (!filter?.state || containerState(r) === filter.state.state) &&
          matchesLabels(r.config.labels, filter?.labelSelector),
      )
      .map(containerSummary);
    return { containers };
  }

  async containerStatus(request: ContainerStatusRequest) {
    return { status: containerStatus(this.deps.simulation.container(request.containerId).record) };
  }

  async updateContainerResources(request: UpdateContainerResourcesRequest) {
    const container = this.deps.simulation.container(request.containerId);
    const { linux } = request;
    if (!linux) return {};
    const { record } = container;
    if (record.state === 'exited') throw new CriError('unknown', `container ${record.id} is not in created or running state`);
    const before = record.config.linux?.resources;
    // What is not given stays as it is; protobuf gives zeros for it.
    const given = Object.fromEntries(Object.entries(linux).filter(([, v]) => v !== 0n && v !== '' && (typeof v !== 'object' || Object.keys(v).length > 0)));
    record.config.linux ??= create(LinuxContainerConfigSchema);
    record.config.linux.resources = before ? { ...before, ...given, $typeName: before.$typeName } : linux;
    this.deps.saveResources(container);
    return {};
  }

  async updatePodSandboxResources(request: { readonly podSandboxId: string }) {
    this.deps.simulation.sandbox(request.podSandboxId);
    return {};
  }

  async reopenContainerLog(request: ReopenContainerLogRequest) {
    this.deps.simulation.runningContainer(request.containerId).reopenLog();
    return {};
  }

  execSync(request: ExecSyncRequest, context: CallContext) {
    return execSync(this.deps.simulation.runningContainer(request.containerId), request.cmd, Number(request.timeout) * 1000, this.deps.clock, context);
  }

  async exec(request: ExecRequest) {
    this.deps.simulation.runningContainer(request.containerId);
    checkCommand(request.cmd);
    return { url: (await this.deps.streaming()).exec(request) };
  }

  async attach(request: AttachRequest) {
    this.deps.simulation.runningContainer(request.containerId);
    return { url: (await this.deps.streaming()).attach(request) };
  }

  async portForward(request: PortForwardRequest) {
    const sandbox = this.deps.simulation.sandbox(request.podSandboxId);
    if (!sandbox.ready) throw new CriError('unknown', `sandbox container ${JSON.stringify(sandbox.id)} is not running`);
    return { url: (await this.deps.streaming()).portForward(request) };
  }

  async containerStats(request: ContainerStatsRequest) {
    return { stats: this.#stats(this.deps.simulation.container(request.containerId)) };
  }

  async listContainerStats({ filter }: ListContainerStatsRequest) {
    return {
      stats: this.deps.simulation
        .containers()
        .filter((c) => c.record.state !== 'exited' && matchesStats(c, filter))
        .map((c) => this.#stats(c)),
    };
  }

  async podSandboxStats(request: PodSandboxStatsRequest) {
    return { stats: this.#sandboxStats(this.deps.simulation.sandbox(request.podSandboxId)) };
  }

  async listPodSandboxStats({ filter }: ListPodSandboxStatsRequest) {
    return {
      stats: this.deps.simulation
        .sandboxes()
        .filter((s) => s.ready && (!filter?.id || s.id.startsWith(filter.id)) && matchesLabels(s.config.labels, filter?.labelSelector))
        .map((s) => this.#sandboxStats(s)),
    };
  }

  getContainerEvents(_request: unknown, context: CallContext) {
    return this.deps.simulation.events.subscribe(context.signal);
  }

  #stats(container: SimContainer) {
    const { record } = container;
    const timestamp = nanoseconds(this.deps.clock.now());
    const { cpuNanoseconds, nanoCores, memoryBytes } = container.usage();
    const uint = (n: number) => ({ value: BigInt(Math.round(n)) });
    return {
      attributes: {
        id: record.id,
        ...(record.config.metadata ? { metadata: record.config.metadata } : {}),
        labels: record.config.labels,
        annotations: record.config.annotations,
      },
      cpu: { timestamp, usageCoreNanoSeconds: uint(cpuNanoseconds), usageNanoCores: uint(nanoCores) },
      memory: { timestamp, workingSetBytes: uint(memoryBytes), usageBytes: uint(memoryBytes), rssBytes: uint(memoryBytes) },
      writableLayer: { timestamp, fsId: { mountpoint: '/' }, usedBytes: uint(0), inodesUsed: uint(0) },
    };
  }

  #sandboxStats(sandbox: SandboxRecord) {
    const { config } = sandbox;
    const containers = this.deps.simulation.containersOf(sandbox.id).filter((c) => c.record.state === 'running');
    return {
      attributes: { id: sandbox.id, ...(config.metadata ? { metadata: config.metadata } : {}), labels: config.labels, annotations: config.annotations },
      linux: { containers: containers.map((c) => this.#stats(c)) },
    };
  }
}

function matchesStats({ record }: SimContainer, filter: ContainerStatsFilter | undefined): boolean {
  return (
    (!filter?.id || record.id.startsWith(filter.id)) &&
    (!filter?.podSandboxId || record.sandboxId.startsWith(filter.podSandboxId)) &&
    matchesLabels(record.config.labels, filter?.labelSelector)
  );
}
