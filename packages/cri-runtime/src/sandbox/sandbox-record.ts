import { fromJson, type JsonValue, toJson } from '@bufbuild/protobuf';
import { type PodSandboxConfig, PodSandboxConfigSchema } from '@coxswain/cri';
import type { PinnedNamespaces } from '@coxswain/linux';
import { type PodUsers, requestedUsers } from './user-mappings.js';

/** A pod sandbox. `making` is only ever seen after a crash: what was made of it is cleaned up. */
export interface SandboxRecord {
  readonly id: string;
  readonly config: PodSandboxConfig;
  readonly runtimeHandler: string;
  /** Nanoseconds since the epoch. */
  readonly createdAt: bigint;
  state: 'making' | 'ready' | 'notready';
  namespaces: PinnedNamespaces;
  ips: readonly string[];
  /** A pause container exists or is being made: some container shares the pod's PID namespace. */
  hasPause: boolean;
  /** The first process of that namespace. */
  pausePid?: number;
  attached: boolean;
}

interface StoredSandbox {
  id: string;
  config: JsonValue;
  runtimeHandler: string;
  createdAt: string;
  state: SandboxRecord['state'];
  namespaces: PinnedNamespaces;
  ips: readonly string[];
  hasPause: boolean;
  pausePid?: number;
  attached: boolean;
}

export function storeSandbox(record: SandboxRecord): StoredSandbox {
  return { ...record, config: toJson(PodSandboxConfigSchema, record.config), createdAt: String(record.createdAt) };
}

export function loadSandbox(stored: StoredSandbox): SandboxRecord {
  return { ...stored, config: fromJson(PodSandboxConfigSchema, stored.config, { ignoreUnknownFields: true }), createdAt: BigInt(stored.createdAt) };
}

/** The user namespace of its own, while it has it. */
export function podUsers({ config, namespaces: { user: path } }: Pick<SandboxRecord, 'config' | 'namespaces'>): PodUsers | undefined {
  const users = requestedUsers(config.linux?.securityContext?.namespaceOptions);
  return users && path !== undefined ? { ...users, path } : undefined;
}

export type { StoredSandbox };
