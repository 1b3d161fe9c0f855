import {
  type ContainerConfig,
  ContainerEventType,
  type ContainerEventResponseSchema,
  CriError,
  EventHub,
  NamespaceMode,
  type PodSandboxConfig,
  byIdOrPrefix,
  newId,
} from '@coxswain/cri';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Clock, Random } from '@coxswain/sdk';
import type { Scripts } from '../script/scripts.js';
import { containerStatus, sandboxStatus } from '../service/messages.js';
import { Addresses } from './addresses.js';
import type { SandboxRecord } from './records.js';
import { SimContainer, type SimContainerDeps } from './sim-container.js';
import type { SimState } from './state-folder.js';

export type SimEvent = MessageInitShape<typeof ContainerEventResponseSchema>;

export interface SimulationDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly scripts: Scripts;
  readonly state: SimState;
  /** Where pods get their addresses from; empty: the kubelet will say. */
  readonly podCIDR: string;
}

interface Sandbox {
  readonly record: SandboxRecord;
  readonly containers: Set<SimContainer>;
}

/** All sandboxes and containers, and the order they are made and unmade in. */
export class Simulation {
  readonly events = new EventHub<SimEvent>();
  readonly addresses: Addresses;
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #containers = new Map<string, SimContainer>();
  readonly #names = new Map<string, string>();
  readonly #containerDeps: SimContainerDeps;

  constructor(private readonly deps: SimulationDeps) {
    this.addresses = new Addresses(deps.podCIDR);
    this.#containerDeps = {
      clock: deps.clock,
      changed: (container, event) => {
        deps.state.saveContainer(container.record);
        const sandbox = this.#sandboxes.get(container.record.sandboxId)?.record;
        if (sandbox && event !== undefined) this.#publish(container.record.id, sandbox, event);
      },
    };
  }

  /** Find again what a former server of the same state had. */
  recover(): void {
    const { sandboxes, containers } = this.deps.state.load();
    for (const record of sandboxes) {
      this.#sandboxes.set(record.id, { record, containers: new Set() });
      this.#names.set(sandboxName(record.config), record.id);
      for (const ip of record.ips) this.addresses.mark(ip);
    }
    for (const record of containers.toSorted((a, b) => a.createdAt - b.createdAt)) {
      const sandbox = this.#sandboxes.get(record.sandboxId) as Sandbox;
      this.#adopt(sandbox, new SimContainer(record, this.#script(sandbox.record.config, record.config), this.#containerDeps)).resume();
    }
  }

  sandboxes(): readonly SandboxRecord[] {
    return [...this.#sandboxes.values()].map((s) => s.record);
  }

  containers(): readonly SimContainer[] {
    return [...this.#containers.values()];
  }

  containersOf(sandboxId: string): readonly SimContainer[] {
    return [...(this.#sandboxes.get(sandboxId)?.containers ?? [])];
  }

  findSandbox(id: string): SandboxRecord | undefined {
    return byIdOrPrefix(this.#sandboxes, id)?.record;
  }

  sandbox(id: string): SandboxRecord {
    const found = this.findSandbox(id);
    if (!found) throw new CriError('notFound', `an error occurred when try to find sandbox: not found: ${JSON.stringify(id)}`);
    return found;
  }

  findContainer(id: string): SimContainer | undefined {
    return byIdOrPrefix(this.#containers, id);
  }

  container(id: string): SimContainer {
    const found = this.findContainer(id);
    if (!found) throw new CriError('notFound', `an error occurred when try to find container ${JSON.stringify(id)}: not found`);
    return found;
  }

  runningContainer(id: string): SimContainer {
    const found = this.container(id);
    if (found.record.state !== 'running') throw new CriError('failedPrecondition', `container ${found.record.id} is not running`);
    return found;
  }

  async runSandbox(config: PodSandboxConfig, runtimeHandler: string, signal: AbortSignal): Promise<SandboxRecord> {
    const { clock, random, scripts, state } = this.deps;
    const { after = 0, error } = scripts.sandbox(config.annotations);
    const name = sandboxName(config);
    const id = newId(random);
    const holder = this.#names.get(name);
    if (holder) throw new CriError('unknown', `failed to reserve sandbox name ${JSON.stringify(name)}: name is reserved for ${JSON.stringify(holder)}`);
    this.#names.set(name, id);
    let ip: string | undefined;
    try {
      if (after > 0) await clock.sleep(after, signal);
      if (error !== undefined) throw new CriError('unknown', error);
      if (config.linux?.securityContext?.namespaceOptions?.network !== NamespaceMode.NODE) {
        if (this.addresses.cidr === '') throw new CriError('unknown', 'failed to setup network for sandbox: the pod network is not known yet');
        ip = this.addresses.take();
        if (ip === undefined) throw new CriError('unknown', `failed to setup network for sandbox: no IP addresses available in ${this.addresses.cidr}`);
      }
      const record: SandboxRecord = { id, config, runtimeHandler, ips: ip === undefined ? [] : [ip], createdAt: clock.now(), ready: true };
      state.saveSandbox(record);
      this.#sandboxes.set(id, { record, containers: new Set() });
      this.#publish(id, record, ContainerEventType.CONTAINER_CREATED_EVENT);
      this.#publish(id, record, ContainerEventType.CONTAINER_STARTED_EVENT);
      return record;
    } catch (failure) {
      this.#names.delete(name);
      if (ip !== undefined) this.addresses.release(ip);
      throw failure;
    }
  }

  async stopSandbox(record: SandboxRecord): Promise<void> {
    await Promise.all(this.containersOf(record.id).map((c) => c.stop(0)));
    if (!record.ready) return;
    record.ready = false;
    for (const ip of record.ips) this.addresses.release(ip);
    this.deps.state.saveSandbox(record);
    this.#publish(record.id, record, ContainerEventType.CONTAINER_STOPPED_EVENT);
  }

  async removeSandbox(record: SandboxRecord): Promise<void> {
    await this.stopSandbox(record);
    for (const container of this.containersOf(record.id)) await this.removeContainer(container);
    if (!this.#sandboxes.delete(record.id)) return;
    this.#names.delete(sandboxName(record.config));
    this.deps.state.removeSandbox(record.id);
    this.#publish(record.id, record, ContainerEventType.CONTAINER_DELETED_EVENT);
  }

  createContainer(sandbox: SandboxRecord, config: ContainerConfig, image: { readonly id: string; readonly ref: string }): SimContainer {
    const { clock, random, state } = this.deps;
    const holder = this.#sandboxes.get(sandbox.id);
    if (!holder?.record.ready) throw new CriError('failedPrecondition', `sandbox container ${JSON.stringify(sandbox.id)} is not running`);
    const { name = '', attempt = 0 } = config.metadata ?? {};
    const taken = [...holder.containers].find((c) => c.record.config.metadata?.name === name && c.record.config.metadata.attempt === attempt);
    if (taken)
      throw new CriError(
        'unknown',
        `failed to reserve container name ${JSON.stringify(`${name}_${attempt}`)}: name is reserved for ${JSON.stringify(taken.record.id)}`,
      );
    const script = this.#script(sandbox.config, config);
    const directory = sandbox.config.logDirectory;
    const container = new SimContainer(
      {
        id: newId(random),
        sandboxId: sandbox.id,
        config,
        imageId: image.id,
        imageRef: image.ref,
        logPath: directory !== '' && config.logPath !== '' ? `${directory}/${config.logPath}` : '',
        createdAt: clock.now(),
        state: 'created',
        startedAt: 0,
        finishedAt: 0,
        exitCode: 0,
        reason: '',
        message: '',
      },
      script,
      this.#containerDeps,
    );
    state.saveContainer(container.record);
    this.#adopt(holder, container);
    this.#publish(container.record.id, sandbox, ContainerEventType.CONTAINER_CREATED_EVENT);
    return container;
  }

  async removeContainer(container: SimContainer): Promise<void> {
    const { id, sandboxId } = container.record;
    await container.stop(0);
    if (!this.#containers.delete(id)) return;
    const sandbox = this.#sandboxes.get(sandboxId);
    sandbox?.containers.delete(container);
    this.deps.state.removeContainer(id);
    if (sandbox) this.#publish(id, sandbox.record, ContainerEventType.CONTAINER_DELETED_EVENT);
  }

  /** Why nobody answers at this address; undefined: somebody does. */
  refusal(ip: string): string | undefined {
    const pod = [...this.#sandboxes.values()].find((s) => s.record.ready && s.record.ips.includes(ip));
    if (!pod) return `no route to host ${ip}`;
    const refusals = [...pod.containers].map((c) => c.refusal());
    return refusals.length === 0 ? 'connection refused' : refusals.find((r) => r !== undefined);
  }

  /** Timers end; what is written down stays. */
  close(): void {
    for (const container of this.#containers.values()) container.close();
  }

  #script(sandbox: PodSandboxConfig, config: ContainerConfig) {
    return this.deps.scripts.container(
      {
        image: config.image?.userSpecifiedImage || config.image?.image || '',
        container: config.metadata?.name ?? '',
        pod: sandbox.metadata?.name ?? '',
        namespace: sandbox.metadata?.namespace ?? '',
        command: [...config.command, ...config.args].join(' '),
      },
      { ...sandbox.annotations, ...config.annotations },
    );
  }

  #adopt(sandbox: Sandbox, container: SimContainer): SimContainer {
    this.#containers.set(container.record.id, container);
    sandbox.containers.add(container);
    return container;
  }

  #publish(containerId: string, sandbox: SandboxRecord, containerEventType: ContainerEventType): void {
    if (this.events.idle) return;
    this.events.publish({
      containerId,
      containerEventType,
      createdAt: BigInt(Math.floor(this.deps.clock.now())) * 1_000_000n,
      podSandboxStatus: sandboxStatus(sandbox),
      containersStatuses: this.containersOf(sandbox.id).map((c) => containerStatus(c.record)),
    });
  }
}

function sandboxName({ metadata }: PodSandboxConfig): string {
  return [metadata?.name, metadata?.namespace, metadata?.uid, metadata?.attempt].join('_');
}
