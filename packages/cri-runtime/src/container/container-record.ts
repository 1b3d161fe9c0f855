import { fromJson, type JsonValue, toJson } from '@bufbuild/protobuf';
import { type ContainerConfig, ContainerConfigSchema } from '@coxswain/cri';
import type { ResolvedUser } from './user.js';

/** What a container is; fixed when it is created, kept by the driver. */
export interface ContainerMeta {
  readonly id: string;
  readonly sandboxId: string;
  readonly config: ContainerConfig;
  /** Absolute path of the log; empty: none. */
  readonly logPath: string;
  /** Image id, and the reference it is reported by. */
  readonly imageId: string;
  readonly imageRef: string;
  readonly user: ResolvedUser;
  /** The image's; empty: SIGTERM. */
  readonly stopSignal: string;
  readonly cgroupsPath: string;
  /** Nanoseconds since the epoch. */
  readonly createdAt: bigint;
}

/** How it goes; kept in a file of its own. Times in nanoseconds, 0n: not yet. */
export interface ContainerStatusRecord {
  state: 'created' | 'running' | 'exited' | 'unknown';
  startedAt: bigint;
  finishedAt: bigint;
  exitCode: number;
  reason: string;
  message: string;
  pid?: number;
  /** What the driver needs to find its own again after a restart; plain JSON. */
  driverState?: unknown;
  oomKilled?: boolean;
}

/** A container as the server holds it. */
export interface ContainerRecord {
  readonly meta: ContainerMeta;
  readonly status: ContainerStatusRecord;
  /** Resolves when the container has exited and its status says so; a new one with every start. */
  exited: Promise<void>;
  markExited: () => void;
  removing: boolean;
  /** A stop was asked for. */
  stopping: boolean;
}

export function newContainer(meta: ContainerMeta, status: ContainerStatusRecord): ContainerRecord {
  let markExited = () => {};
  const exited = new Promise<void>((resolve) => {
    markExited = resolve;
  });
  if (status.state === 'exited') markExited();
  return { meta, status, exited, markExited, removing: false, stopping: false };
}

type StoredMeta = Omit<ContainerMeta, 'config' | 'createdAt'> & { readonly config: JsonValue; readonly createdAt: string };

export const storeMeta = (meta: ContainerMeta): StoredMeta => ({
  ...meta,
  config: toJson(ContainerConfigSchema, meta.config),
  createdAt: String(meta.createdAt),
});

export const loadMeta = (stored: StoredMeta): ContainerMeta => ({
  ...stored,
  config: fromJson(ContainerConfigSchema, stored.config, { ignoreUnknownFields: true }),
  createdAt: BigInt(stored.createdAt),
});

type StoredStatus = Omit<ContainerStatusRecord, 'startedAt' | 'finishedAt'> & { startedAt: string; finishedAt: string };

export const storeStatus = (status: ContainerStatusRecord): StoredStatus => ({
  ...status,
  startedAt: String(status.startedAt),
  finishedAt: String(status.finishedAt),
});

export const loadStatus = (stored: StoredStatus): ContainerStatusRecord => ({
  ...stored,
  startedAt: BigInt(stored.startedAt),
  finishedAt: BigInt(stored.finishedAt),
});

export const createdStatus = (): ContainerStatusRecord => ({ state: 'created', startedAt: 0n, finishedAt: 0n, exitCode: 0, reason: '', message: '' });

export type { StoredMeta, StoredStatus };
