import { type Container, type ContainerStatus, ContainerState, NamespaceMode, PodSandboxState } from '@coxswain/cri';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { ContainerStatusSchema, PodSandboxStatusSchema } from '@coxswain/cri';
import type { ContainerRecord } from '../container/container-record.js';
import { stopSignalEnum } from '../container/signals.js';
import type { SandboxRecord } from '../sandbox/sandbox-record.js';

const STATES = {
  created: ContainerState.CONTAINER_CREATED,
  running: ContainerState.CONTAINER_RUNNING,
  exited: ContainerState.CONTAINER_EXITED,
  unknown: ContainerState.CONTAINER_UNKNOWN,
} as const;

export const criState = (record: ContainerRecord): ContainerState => STATES[record.status.state];

/** CRI's short form, for lists. */
export function containerSummary({
  meta,
  status,
}: ContainerRecord): Omit<Container, '$typeName' | '$unknown' | 'metadata' | 'image'> &
  Pick<MessageInitShape<typeof ContainerStatusSchema>, 'metadata' | 'image'> {
  return {
    id: meta.id,
    podSandboxId: meta.sandboxId,
    ...(meta.config.metadata ? { metadata: meta.config.metadata } : {}),
    ...(meta.config.image ? { image: meta.config.image } : {}),
    imageRef: meta.imageRef,
    imageId: meta.imageId,
    state: STATES[status.state],
    createdAt: meta.createdAt,
    labels: meta.config.labels,
    annotations: meta.config.annotations,
  };
}

/** CRI's long form. */
export function containerStatus({ meta, status }: ContainerRecord): MessageInitShape<typeof ContainerStatusSchema> {
  const { config, user } = meta;
  return {
    id: meta.id,
    ...(config.metadata ? { metadata: config.metadata } : {}),
    state: STATES[status.state],
    createdAt: meta.createdAt,
    startedAt: status.startedAt,
    finishedAt: status.finishedAt,
    exitCode: status.exitCode,
    image: { image: config.image?.userSpecifiedImage || config.image?.image || '', annotations: config.image?.annotations ?? {} },
    imageRef: meta.imageRef,
    imageId: meta.imageId,
    reason: status.reason,
    message: status.message,
    labels: config.labels,
    annotations: config.annotations,
    mounts: config.mounts,
    logPath: meta.logPath,
    ...(config.linux?.resources ? { resources: { linux: config.linux.resources } } : {}),
    user: { linux: { uid: BigInt(user.uid), gid: BigInt(user.gid), supplementalGroups: user.additionalGids.map(BigInt) } },
    stopSignal: stopSignalEnum(config.stopSignal, meta.stopSignal),
  } satisfies MessageInitShape<typeof ContainerStatusSchema> & Partial<Record<keyof ContainerStatus, unknown>>;
}

export const sandboxState = (sandbox: SandboxRecord) => (sandbox.state === 'ready' ? PodSandboxState.SANDBOX_READY : PodSandboxState.SANDBOX_NOTREADY);

export function sandboxStatus(sandbox: SandboxRecord): MessageInitShape<typeof PodSandboxStatusSchema> {
  const { config } = sandbox;
  const [ip = '', ...more] = sandbox.ips;
  const options = config.linux?.securityContext?.namespaceOptions;
  return {
    id: sandbox.id,
    ...(config.metadata ? { metadata: config.metadata } : {}),
    state: sandboxState(sandbox),
    createdAt: sandbox.createdAt,
    network: { ip, additionalIps: more.map((address) => ({ ip: address })) },
    linux: { namespaces: { options: options ?? { network: NamespaceMode.POD, pid: NamespaceMode.POD, ipc: NamespaceMode.POD } } },
    labels: config.labels,
    annotations: config.annotations,
    runtimeHandler: sandbox.runtimeHandler,
  };
}
