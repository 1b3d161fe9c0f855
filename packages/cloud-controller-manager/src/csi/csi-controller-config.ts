import type { ManagerConfig } from '@coxswain/controller';

export interface CsiControllerConfig extends ManagerConfig {
  /** The file system of volumes whose class names none (`csi.storage.k8s.io/fstype`). */
  readonly defaultFsType: string;
  /** Before the claim's uid in names of volumes. */
  readonly volumeNamePrefix: string;
}

export const defaultCsiControllerConfig: CsiControllerConfig = Object.freeze({
  controllers: ['*'],
  defaultFsType: 'ext4',
  volumeNamePrefix: 'pvc',
  leaderElection: undefined,
  serving: undefined,
});
