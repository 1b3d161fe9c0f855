import type { ContainerConfig, PodSandboxConfig } from '@coxswain/cri';

/** Times are milliseconds since the epoch; 0: never. */
export interface SandboxRecord {
  readonly id: string;
  readonly config: PodSandboxConfig;
  readonly runtimeHandler: string;
  readonly ips: readonly string[];
  readonly createdAt: number;
  ready: boolean;
}

export interface ContainerRecord {
  readonly id: string;
  readonly sandboxId: string;
  readonly config: ContainerConfig;
  readonly imageId: string;
  readonly imageRef: string;
  /** Empty: its output goes nowhere. */
  readonly logPath: string;
  readonly createdAt: number;
  state: 'created' | 'running' | 'exited';
  startedAt: number;
  finishedAt: number;
  exitCode: number;
  reason: string;
  message: string;
}
