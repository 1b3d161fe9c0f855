import { type ContainerStatus, ContainerState, NamespaceMode, type PodSandboxStatus, PodSandboxState } from '@coxswain/cri';
import { Keys } from './keys.js';
import { apiStopSignal } from './stop-signal.js';
import type { ContainerPhase, ObservedContainer, ObservedSandbox } from './observed.js';

const ms = (nanoseconds: bigint) => (nanoseconds > 0n ? Number(nanoseconds / 1_000_000n) : 0);

const phases: Readonly<Record<ContainerState, ContainerPhase>> = {
  [ContainerState.CONTAINER_CREATED]: 'created',
  [ContainerState.CONTAINER_RUNNING]: 'running',
  [ContainerState.CONTAINER_EXITED]: 'exited',
  [ContainerState.CONTAINER_UNKNOWN]: 'unknown',
};

export const containerPhase = (state: ContainerState): ContainerPhase => phases[state] ?? 'unknown';

/** A container's status as plain values. `message` is the runtime's; the termination message is added by whoever reads files. */
export function observedContainer(status: ContainerStatus, sandboxId: string): ObservedContainer {
  const { labels, annotations } = status;
  const linux = status.resources?.linux;
  const user = status.user?.linux;
  const stopSignal = apiStopSignal(status.stopSignal);
  const grace = annotations[Keys.deletionGracePeriod] ?? annotations[Keys.terminationGracePeriod];
  return {
    id: status.id,
    name: labels[Keys.containerName] ?? status.metadata?.name ?? '',
    sandboxId,
    phase: containerPhase(status.state),
    createdAt: ms(status.createdAt),
    startedAt: ms(status.startedAt),
    finishedAt: ms(status.finishedAt),
    exitCode: status.exitCode,
    reason: status.reason,
    message: status.message,
    image: status.image?.userSpecifiedImage || status.image?.image || '',
    imageRef: status.imageRef || status.imageId,
    hash: annotations[Keys.containerHash] ?? '',
    restartCount: Number(annotations[Keys.restartCount] ?? status.metadata?.attempt ?? 0),
    logPath: status.logPath,
    ...(stopSignal ? { stopSignal } : {}),
    ...(grace !== undefined ? { gracePeriod: Number(grace) } : {}),
    ...(user ? { user: { uid: Number(user.uid), gid: Number(user.gid), supplementalGroups: user.supplementalGroups.map(Number) } } : {}),
    ...(linux
      ? {
          resources: {
            cpuShares: Number(linux.cpuShares),
            cpuQuota: Number(linux.cpuQuota),
            cpuPeriod: Number(linux.cpuPeriod),
            memoryLimit: Number(linux.memoryLimitInBytes),
          },
        }
      : {}),
  };
}

export function observedSandbox(status: PodSandboxStatus): ObservedSandbox {
  const network = status.network;
  return {
    id: status.id,
    attempt: status.metadata?.attempt ?? 0,
    ready: status.state === PodSandboxState.SANDBOX_READY,
    createdAt: ms(status.createdAt),
    ips: network?.ip ? [network.ip, ...network.additionalIps.map((a) => a.ip).filter(Boolean)] : [],
    hostNetwork: status.linux?.namespaces?.options?.network === NamespaceMode.NODE,
    runtimeHandler: status.runtimeHandler,
  };
}
