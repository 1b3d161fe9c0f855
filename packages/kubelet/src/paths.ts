import { join } from 'node:path';
import type { PodId } from './pod/pod-spec.js';

/** Where the kubelet keeps things; upstream's layout below folders that can be chosen, so that several nodes live on one machine. */
export class Paths {
  constructor(
    readonly rootDir: string,
    readonly podLogsDir: string,
    readonly containerLogsDir: string,
  ) {}

  get pods(): string {
    return join(this.rootDir, 'pods');
  }

  pod(uid: string): string {
    return join(this.pods, uid);
  }

  volume(uid: string, plugin: string, name: string): string {
    return join(this.pod(uid), 'volumes', `kubernetes.io~${plugin}`, name);
  }

  volumes(uid: string): string {
    return join(this.pod(uid), 'volumes');
  }

  subPath(uid: string, volume: string, container: string, index: number): string {
    return join(this.pod(uid), 'volume-subpaths', volume, container, String(index));
  }

  container(uid: string, name: string): string {
    return join(this.pod(uid), 'containers', name);
  }

  hosts(uid: string): string {
    return join(this.pod(uid), 'etc-hosts');
  }

  podLogs(pod: PodId): string {
    return join(this.podLogsDir, `${pod.namespace}_${pod.name}_${pod.uid}`);
  }

  /** The link log collectors read: `<pod>_<namespace>_<container>-<id>.log`. */
  containerLogLink(pod: PodId, container: string, id: string): string {
    return join(this.containerLogsDir, `${pod.name}_${pod.namespace}_${container}-${id}.log`);
  }

  /** What is known of the claims whose devices have been made ready. */
  get claimRecords(): string {
    return join(this.rootDir, 'dra_claims.json');
  }

  /** Who may use which image: with whose credentials it was pulled. */
  get imageManager(): string {
    return join(this.rootDir, 'image_manager');
  }

  get seccomp(): string {
    return join(this.rootDir, 'seccomp');
  }
}
