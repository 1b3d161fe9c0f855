import type { MessageInitShape } from '@bufbuild/protobuf';
import { type ContainerSchema, ContainerState, type ContainerStatusSchema, NamespaceMode, PodSandboxState, type PodSandboxStatusSchema } from '@coxswain/cri';
import type { ContainerRecord, SandboxRecord } from '../sim/records.js';

export const nanoseconds = (ms: number): bigint => BigInt(Math.floor(ms)) * 1_000_000n;

const STATES = {
  created: ContainerState.CONTAINER_CREATED,
  running: ContainerState.CONTAINER_RUNNING,
  exited: ContainerState.CONTAINER_EXITED,
} as const;

export const containerState = (record: ContainerRecord): ContainerState => STATES[record.state];

export const sandboxState = (record: SandboxRecord): PodSandboxState => (record.ready ? PodSandboxState.SANDBOX_READY : PodSandboxState.SANDBOX_NOTREADY);

/** CRI's short form, for lists. */
export function containerSummary(record: ContainerRecord): MessageInitShape<typeof ContainerSchema> {
  const { config } = record;
  return {
    id: record.id,
    podSandboxId: record.sandboxId,
    ...(config.metadata ? { metadata: config.metadata } : {}),
    ...(config.image ? { image: config.image } : {}),
    imageRef: record.imageRef,
    imageId: record.imageId,
    state: STATES[record.state],
    createdAt: nanoseconds(record.createdAt),
    labels: config.labels,
    annotations: config.annotations,
  };
}

/** CRI's long form. */
export function containerStatus(record: ContainerRecord): MessageInitShape<typeof ContainerStatusSchema> {
  const { config } = record;
  const user = config.linux?.securityContext;
  const gid = user?.runAsGroup?.value ?? 0n;
  return {
    id: record.id,
    ...(config.metadata ? { metadata: config.metadata } : {}),
    state: STATES[record.state],
    createdAt: nanoseconds(record.createdAt),
    startedAt: nanoseconds(record.startedAt),
    finishedAt: nanoseconds(record.finishedAt),
    exitCode: record.exitCode,
    image: { image: config.image?.userSpecifiedImage || config.image?.image || '' },
    imageRef: record.imageRef,
    imageId: record.imageId,
    reason: record.reason,
    message: record.message,
    labels: config.labels,
    annotations: config.annotations,
    mounts: config.mounts,
    logPath: record.logPath,
    ...(config.linux?.resources ? { resources: { linux: config.linux.resources } } : {}),
    user: { linux: { uid: user?.runAsUser?.value ?? 0n, gid, supplementalGroups: [gid, ...(user?.supplementalGroups ?? [])] } },
  };
}

export function sandboxStatus(record: SandboxRecord): MessageInitShape<typeof PodSandboxStatusSchema> {
  const { config } = record;
  const [ip = '', ...more] = record.ips;
  const options = config.linux?.securityContext?.namespaceOptions;
  return {
    id: record.id,
    ...(config.metadata ? { metadata: config.metadata } : {}),
    state: sandboxState(record),
    createdAt: nanoseconds(record.createdAt),
    network: { ip, additionalIps: more.map((address) => ({ ip: address })) },
    linux: { namespaces: { options: options ?? { network: NamespaceMode.POD, pid: NamespaceMode.POD, ipc: NamespaceMode.POD } } },
    labels: config.labels,
    annotations: config.annotations,
    runtimeHandler: record.runtimeHandler,
  };
}
