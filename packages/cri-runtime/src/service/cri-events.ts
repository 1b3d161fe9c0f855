import { type ContainerEventType, EventHub } from '@coxswain/cri';
import type { Clock } from '@coxswain/sdk';
import type { ContainerManager } from '../container/container-manager.js';
import type { SandboxManager } from '../sandbox/sandbox-manager.js';
import type { ContainerEvent } from './runtime-service.js';
import { containerStatus, sandboxStatus } from './status.js';

/** Publishes CRI's container events, each with the state of its pod at that moment. */
export class CriEvents {
  readonly hub = new EventHub<ContainerEvent>();
  #managers: { readonly sandboxes: SandboxManager; readonly containers: ContainerManager } | undefined;

  constructor(private readonly clock: Pick<Clock, 'now'>) {}

  /** The managers and the events know each other. */
  connect(sandboxes: SandboxManager, containers: ContainerManager): void {
    this.#managers = { sandboxes, containers };
  }

  readonly publish = (containerId: string, sandboxId: string, type: ContainerEventType): void => {
    const sandbox = this.#managers?.sandboxes.find(sandboxId);
    this.hub.publish({
      containerId,
      containerEventType: type,
      createdAt: BigInt(this.clock.now()) * 1_000_000n,
      ...(sandbox ? { podSandboxStatus: sandboxStatus(sandbox) } : {}),
      containersStatuses: this.#managers?.containers.ofSandbox(sandboxId).map(containerStatus) ?? [],
    });
  };
}
