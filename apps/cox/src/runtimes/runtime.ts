import type { Readable } from 'node:stream';
import type { ClusterConfig } from '@coxswain/cluster';
import type { PluginUse } from '@coxswain/sdk';
import type { CheckResult } from '../preflight/checks.js';

/**
 * One way to run a node's containers, as `cox up --runtime NAME` names it: all that differs between runtimes is said here, in one file
 * each. Methods load the plugin when they run, so that looking at a cluster does not cost loading every runtime.
 */
export interface NodeRuntime {
  /** In `--runtime`, in `cluster.json`, and in messages. */
  readonly name: string;
  readonly description: string;
  /** What the machine must have for it. Looks and changes nothing. */
  checks(): readonly CheckResult[];
  /** Daemons of the cluster's own beneath the CRI server, in the order they start. */
  readonly daemons: readonly RuntimeDaemon[];
  /** The plugin that binds `CriServer` in the node process. */
  criServer(config: ClusterConfig): Promise<PluginUse>;
  /** Load a docker-save or OCI archive into the node's images; returns the names it can be run by. */
  importImage(config: ClusterConfig, tar: Readable): Promise<readonly string[]>;
  /** The process that must run for `importImage`; absent: none must. */
  readonly importsThrough?: string;
  /**
   * What `cox down` does between ending the containers and stopping the daemons. Works on whatever is left, also after a crash of
   * everything. Processes of pods, mounts, cgroups, links and the cluster's folders under /run are removed for every runtime alike.
   */
  readonly teardown: readonly TeardownStep[];
  /** What it does once the daemons have stopped. */
  readonly afterDaemons?: readonly TeardownStep[];
}

/** A process beneath the CRI server. Detached: it outlives `cox up`, and `cox down` ends it. */
export interface RuntimeDaemon {
  /** In `cox status`, `cox logs`, and the name of its pid file. */
  readonly name: string;
  /** Start it by a command that begins with `launcher`, which supervises it. Resolves once it answers. */
  start(config: ClusterConfig, launcher: readonly string[]): Promise<unknown>;
  logFile(config: ClusterConfig): string;
  /** Time it gets to stop by itself before it is killed. */
  readonly graceMs: number;
}

/** One step of taking a cluster down. Each works on whatever is left, also after a crash of everything, and is harmless when nothing is. */
export interface TeardownStep {
  readonly title: string;
  run(config: ClusterConfig): Promise<void>;
}
