import { createHash } from 'node:crypto';
import { join } from 'node:path';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Where volumes of CSI drivers are on a node: upstream's layout, so that a kubelet of upstream finds what ours left, and the reverse. */
export class CsiPaths {
  constructor(private readonly rootDir: string) {}

  /** Plugins make themselves known by sockets in here. */
  get registry(): string {
    return join(this.rootDir, 'plugins_registry');
  }

  /** A folder for each driver that has volumes here. */
  get drivers(): string {
    return join(this.rootDir, 'plugins', 'kubernetes.io', 'csi');
  }

  /** Holds the staging folder and what is known of the volume. */
  stagingDir(driver: string, handle: string): string {
    return join(this.drivers, driver, sha256(handle));
  }

  staging(driver: string, handle: string): string {
    return join(this.stagingDir(driver, handle), 'globalmount');
  }

  /** A block volume's staging folder. */
  blockStaging(volume: string): string {
    return join(this.drivers, 'volumeDevices', 'staging', volume);
  }

  /** Where a block volume's device appears for one pod. */
  blockPublish(volume: string, podUid: string): string {
    return join(this.drivers, 'volumeDevices', 'publish', volume, podUid);
  }

  podDir(uid: string): string {
    return join(this.rootDir, 'pods', uid, 'volumes', 'kubernetes.io~csi');
  }

  podBlockDir(uid: string): string {
    return join(this.rootDir, 'pods', uid, 'volumeDevices', 'kubernetes.io~csi');
  }

  get pods(): string {
    return join(this.rootDir, 'pods');
  }
}

/** What a volume is called in a node's `volumesInUse` and `volumesAttached`. */
export const uniqueVolumeName = (driver: string, handle: string): string => `kubernetes.io/csi/${driver}^${handle}`;

/** The VolumeAttachment of a volume on a node. */
export const attachmentName = (driver: string, handle: string, node: string): string => `csi-${sha256(`${handle}${driver}${node}`)}`;
