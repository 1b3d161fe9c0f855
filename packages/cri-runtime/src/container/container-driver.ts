import type { Mount } from '@coxswain/cri';
import type { ImageConfiguration, RuntimeSpec, SpecMount } from '@coxswain/oci';
import type { SandboxRecord } from '../sandbox/sandbox-record.js';
import type { PodUsers } from '../sandbox/user-mappings.js';
import type { ContainerMeta, ContainerRecord } from './container-record.js';

/** An image as containers are made of it. */
export interface RuntimeImage {
  /** Digest of the configuration. */
  readonly id: string;
  readonly config: ImageConfiguration;
  readonly names: readonly string[];
  readonly digests: readonly string[];
}

/** A container's root file system, not yet mounted. */
export interface PreparedRootfs {
  /** Folders that make it up, uppermost first. */
  readonly layers: readonly string[];
  /** Where it will be mounted; absent: the runtime decides (`rootfs` in the bundle). */
  readonly path?: string;
}

/** What a driver finds of a container's process. */
export type ProcessState = { readonly state: 'none' } | { readonly state: 'created' | 'running' | 'stopped'; readonly pid: number };

/** A container found again after a restart. */
export interface FoundContainer {
  readonly meta: ContainerMeta;
  readonly process: ProcessState;
  /** When it was started, where the runtime knows. Nanoseconds since the epoch. */
  readonly startedAt?: bigint;
}

/** How a container's first process ended. */
export interface ProcessExit {
  readonly exitCode: number;
  /** Nanoseconds since the epoch; 0n: unknown. */
  readonly finishedAt: bigint;
  readonly oomKilled?: boolean;
}

/**
 * The part of a CRI server that differs between runtimes: processes, root file systems and their records.
 * `ContainerManager` calls it for one container at a time (but `observe`, `kill` and `collect` may meet) and owns names, states and events.
 */
export interface ContainerDriver<Image extends RuntimeImage = RuntimeImage> {
  /** The runtime makes the anonymous volumes that images declare; absent: they are made for it. */
  readonly makesVolumes?: boolean;
  /** The runtime is not given the specification itself, so that hooks, owners of device nodes and special mount options cannot be told to it. */
  readonly configOnly?: boolean;
  /** Rejects with `notFound`. */
  image(reference: string): Promise<Image>;
  /** A writable root file system of the image's. `users`, here and below: files are owned as the pod's user namespace maps their owners. */
  prepare(id: string, image: Image, users?: PodUsers): Promise<PreparedRootfs>;
  /** Mount the images among `mounts` (kubelet's `image` volumes) and say how to bind them. */
  mountImages(id: string, mounts: readonly Mount[], users?: PodUsers): Promise<SpecMount[]>;
  /**
   * Keep what the container is: from now on `recover` finds it. Resolves to the id it has from now on: the meta's own, or the one that a
   * runtime which names its own containers has given it. On failure nothing of it is left but what `discard` undoes.
   */
  create(input: { readonly meta: ContainerMeta; readonly spec: RuntimeSpec; readonly image: Image; readonly sandbox: SandboxRecord }): Promise<string>;
  /** Undo `prepare`, `mountImages` and `create`, whichever were done. */
  discard(id: string, imageMounts: number): Promise<void>;
  /** Start the process. `created` is awaited when it exists and before it runs. On failure nothing of it is left. */
  start(record: ContainerRecord, created: (pid: number) => Promise<void>, users?: PodUsers): Promise<void>;
  /** False: there is no process to signal. */
  kill(record: ContainerRecord, signal: number): Promise<boolean>;
  observe(record: ContainerRecord): Promise<ProcessState>;
  /** After the end: all output is in the log when it resolves, and nothing runs. Undefined: nobody saw how it ended. */
  collect(record: ContainerRecord): Promise<ProcessExit | undefined>;
  /** There is no process any more and none to collect: let go of its streams. */
  lost(record: ContainerRecord): Promise<void>;
  /** Remove everything of a container that does not run. Idempotent. */
  remove(record: ContainerRecord): Promise<void>;
  /** Remove a container of which only the id is known, killing it if need be. */
  purge(id: string): Promise<void>;
  /** Everything there is, after a restart. */
  recover(): Promise<FoundContainer[]>;
  /** Take up a running (or ended, uncollected) container's streams after a restart. */
  adopt(record: ContainerRecord): Promise<void>;
  /** Take back a start that a crash interrupted before the process ran. */
  undoStart(record: ContainerRecord): Promise<void>;
  /** Let go of a running container, as the server stops. */
  detach(record: ContainerRecord): Promise<void>;
  /** `meta.config` has changed. */
  save(meta: ContainerMeta): Promise<void>;
}
