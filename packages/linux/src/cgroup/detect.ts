import { readFile } from 'node:fs/promises';
import { type MountInfo, parseMountInfo } from '../mountinfo.js';

/** How control groups are laid out on this machine. */
export type CgroupLayout =
  | { readonly version: 2; readonly root: string }
  /** `controllers`: name → mount point; several names may share one (`cpu,cpuacct`). `unified`: a hybrid v2 mount, if any. */
  | { readonly version: 1; readonly controllers: ReadonlyMap<string, string>; readonly unified?: string };

const NOT_CONTROLLERS = new Set(['rw', 'ro', 'xattr', 'clone_children', 'noprefix']);

/** Pure. */
export function cgroupLayout(mounts: readonly MountInfo[]): CgroupLayout | undefined {
  const controllers = new Map<string, string>();
  let unified: string | undefined;
  for (const mount of mounts) {
    if (mount.type === 'cgroup2') unified ??= mount.mountPoint;
    if (mount.type !== 'cgroup') continue;
    for (const option of mount.superOptions) {
      if (option.startsWith('name=') || option.startsWith('release_agent=')) {
        if (option.startsWith('name=')) controllers.set(option, mount.mountPoint);
      } else if (!NOT_CONTROLLERS.has(option) && !controllers.has(option)) {
        controllers.set(option, mount.mountPoint);
      }
    }
  }
  if (controllers.has('memory') || controllers.has('cpu')) return { version: 1, controllers, ...(unified ? { unified } : {}) };
  return unified ? { version: 2, root: unified } : undefined;
}

/** Throws when no usable cgroup file system is mounted. */
export async function detectCgroups(): Promise<CgroupLayout> {
  const layout = cgroupLayout(parseMountInfo(await readFile('/proc/self/mountinfo', 'utf8')));
  if (!layout) throw new Error('no cgroup file system with cpu or memory control is mounted under /sys/fs/cgroup');
  return layout;
}
