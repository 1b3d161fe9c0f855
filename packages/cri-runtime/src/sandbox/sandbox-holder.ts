import type { PodSandboxConfig } from '@coxswain/cri';
import type { PinnableNamespace, PinnedNamespaces } from '@coxswain/linux';
import type { SandboxRecord } from './sandbox-record.js';
import type { UserMappings } from './user-mappings.js';

/** What a sandbox wants of its namespaces, checked. */
export interface NamespaceWish {
  /** Those of its own; the others are the host's. */
  readonly kinds: readonly PinnableNamespace[];
  readonly sysctls: Readonly<Record<string, string>>;
  /** Empty: the host's. */
  readonly hostname: string;
  /** Of a user namespace that owns the others; absent: the host's users. */
  readonly users?: UserMappings;
}

/** What has been made. */
export interface HeldNamespaces {
  /** Paths by which others join them. */
  readonly namespaces: PinnedNamespaces;
  /** A process that lives in all of them, when there is one from the start. */
  readonly pid?: number;
}

/** A sandbox that exists in the runtime. */
export interface FoundSandbox {
  readonly id: string;
  readonly config: PodSandboxConfig;
}

/**
 * The part of a sandbox that differs between runtimes: who holds its namespaces. `SandboxManager` calls it for one sandbox at a time, and
 * owns names, records, files and the network.
 */
export interface SandboxHolder {
  /** Why pods of a RuntimeClass handler cannot have user namespaces; undefined: they can. */
  usersProblem(runtimeHandler: string): Promise<string | undefined>;
  /** A new sandbox's id. Runtimes that give ids themselves make what will carry it, with all that `found` needs. */
  reserve(config: PodSandboxConfig, runtimeHandler: string, wish: NamespaceWish, signal: AbortSignal): Promise<string>;
  /** Make the namespaces. A failure may leave parts, which `release` removes. */
  hold(sandbox: SandboxRecord, wish: NamespaceWish): Promise<HeldNamespaces>;
  /** Whether the namespaces, and the process if there was one, still are what the record says. */
  alive(sandbox: SandboxRecord): Promise<boolean>;
  /** The pid of the first process of the pod's PID namespace, started now if need be. Not called when `hold` gave one. */
  start(sandbox: SandboxRecord, cgroupsPath: string): Promise<number>;
  /** Let the namespaces go; the network has been. Idempotent; `hasProcess` is true also where it is not known. */
  release(id: string, hasProcess: boolean): Promise<void>;
  /** After `release`: nothing of the sandbox is left in the runtime. Idempotent. */
  forget(id: string): Promise<void>;
  /** Sandboxes the runtime has, after a restart; those without a record are half made, or were half removed. */
  found(): Promise<readonly FoundSandbox[]>;
  /** The pod's shared memory on the host; undefined: the runtime mounts it by itself. */
  shmPath(id: string): string | undefined;
}
