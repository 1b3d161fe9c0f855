/** What the runtime says, as plain values. Times are milliseconds since the epoch; 0: never. */
export type ContainerPhase = 'created' | 'running' | 'exited' | 'unknown';

export interface ObservedResources {
  readonly cpuShares?: number;
  readonly cpuQuota?: number;
  readonly cpuPeriod?: number;
  readonly memoryLimit?: number;
}

export interface ObservedContainer {
  readonly id: string;
  readonly name: string;
  readonly sandboxId: string;
  readonly phase: ContainerPhase;
  readonly createdAt: number;
  readonly startedAt: number;
  readonly finishedAt: number;
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
  readonly image: string;
  readonly imageRef: string;
  readonly hash: string;
  readonly restartCount: number;
  readonly logPath: string;
  /** Grace period the container was made with, seconds; how orphans are stopped. */
  readonly gracePeriod?: number;
  readonly user?: { readonly uid: number; readonly gid: number; readonly supplementalGroups: readonly number[] };
  readonly resources?: ObservedResources;
  /** What stops it, by the API's name, where the runtime says. */
  readonly stopSignal?: string;
}

export interface ObservedSandbox {
  readonly id: string;
  readonly attempt: number;
  readonly ready: boolean;
  readonly createdAt: number;
  readonly ips: readonly string[];
  readonly hostNetwork: boolean;
  readonly runtimeHandler: string;
}

/** Everything the runtime holds for one pod: newest sandbox first; containers newest first. */
export interface ObservedPod {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly sandboxes: readonly ObservedSandbox[];
  readonly containers: readonly ObservedContainer[];
}

export function emptyObservedPod(uid: string, name: string, namespace: string): ObservedPod {
  return { uid, name, namespace, sandboxes: [], containers: [] };
}

/** The newest container of that name. */
export function latestContainer(observed: ObservedPod, name: string): ObservedContainer | undefined {
  return observed.containers.find((c) => c.name === name);
}

/** The newest container of that name in one sandbox. */
export function containerInSandbox(observed: ObservedPod, name: string, sandboxId: string): ObservedContainer | undefined {
  return observed.containers.find((c) => c.name === name && c.sandboxId === sandboxId);
}
