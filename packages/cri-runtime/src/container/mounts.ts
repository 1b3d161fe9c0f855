import { mkdir, realpath } from 'node:fs/promises';
import { posix } from 'node:path';
import { CriError, type Mount, MountPropagation } from '@coxswain/cri';
import type { MountInfo } from '@coxswain/linux';
import type { SpecMount } from '@coxswain/oci';

/** What every container has, before its own mounts. */
export function baseMounts(options: { readonly sysReadonly: boolean }): SpecMount[] {
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'] },
    { destination: '/dev/pts', type: 'devpts', source: 'devpts', options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'] },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: ['nosuid', 'noexec', 'nodev', options.sysReadonly ? 'ro' : 'rw'] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: ['nosuid', 'noexec', 'nodev', 'relatime', options.sysReadonly ? 'ro' : 'rw'] },
  ];
}

/** An image is mounted as it is: nothing can be written to it, and propagation out of it has no meaning. */
export function checkImageMounts(mounts: readonly Mount[]): void {
  for (const { image, containerPath, readonly, hostPath } of mounts) {
    if (!image?.image) continue;
    if (!containerPath) throw new CriError('invalidArgument', `the mount of image ${image.image} has no container path`);
    if (hostPath) throw new CriError('invalidArgument', `the mount of ${containerPath} has both a host path and an image`);
    if (!readonly) throw new CriError('invalidArgument', `the image mount of ${containerPath} must be readonly`);
  }
}

export interface ConvertedMount {
  readonly mount: SpecMount;
  readonly propagation: MountPropagation;
  /** The host path with links resolved. */
  readonly source: string;
}

/** One CRI host mount as a spec mount. Makes a missing host folder, resolves links, checks propagation. */
export async function convertMount(mount: Mount, info: readonly MountInfo[]): Promise<ConvertedMount> {
  const { containerPath, hostPath } = mount;
  if (!containerPath) throw new CriError('invalidArgument', 'a mount has no container path');
  if (!hostPath) throw new CriError('invalidArgument', `the mount of ${containerPath} has no host path`);
  if (mount.recursiveReadOnly) {
    if (!mount.readonly) throw new CriError('invalidArgument', `recursive_read_only mount of ${containerPath} must be readonly too`);
    if (mount.propagation !== MountPropagation.PROPAGATION_PRIVATE) {
      throw new CriError(
        'invalidArgument',
        `recursive_read_only mount of ${containerPath} needs PROPAGATION_PRIVATE, not ${MountPropagation[mount.propagation]}`,
      );
    }
  }
  let source: string;
  try {
    source = await realpath(hostPath);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw new CriError('unknown', `failed to resolve host path ${JSON.stringify(hostPath)}: ${(error as Error).message}`);
    await mkdir(hostPath, { recursive: true, mode: 0o755 });
    source = await realpath(hostPath);
  }
  const options = ['rbind'];
  const over = coveringMount(source, info);
  switch (mount.propagation) {
    case MountPropagation.PROPAGATION_BIDIRECTIONAL:
      if (!over?.propagation.some((o) => o.startsWith('shared:')))
        throw new CriError('unknown', `path ${JSON.stringify(hostPath)} is mounted on ${JSON.stringify(over?.mountPoint ?? '/')} but it is not a shared mount`);
      options.push('rshared');
      break;
    case MountPropagation.PROPAGATION_HOST_TO_CONTAINER:
      if (!over?.propagation.some((o) => o.startsWith('shared:') || o.startsWith('master:')))
        throw new CriError(
          'unknown',
          `path ${JSON.stringify(hostPath)} is mounted on ${JSON.stringify(over?.mountPoint ?? '/')} but it is not a shared or slave mount`,
        );
      options.push('rslave');
      break;
    default:
      options.push('rprivate');
  }
  options.push(mount.readonly ? (mount.recursiveReadOnly ? 'rro' : 'ro') : 'rw');
  return { mount: { destination: containerPath, type: 'bind', source, options }, propagation: mount.propagation, source };
}

/** The mount that a path is on. Pure. */
export function coveringMount(path: string, info: readonly MountInfo[]): MountInfo | undefined {
  return info
    .filter((m) => path === m.mountPoint || path.startsWith(m.mountPoint === '/' ? '/' : `${m.mountPoint}/`))
    .reduce<MountInfo | undefined>((best, m) => (!best || m.mountPoint.length >= best.mountPoint.length ? m : best), undefined);
}

/** Mount points sorted so that a folder comes before what is inside it; a later mount of the same place replaces an earlier one. */
export function orderMounts(mounts: readonly SpecMount[]): SpecMount[] {
  const byPlace = new Map<string, SpecMount>();
  for (const mount of mounts) {
    const place = posix.normalize(mount.destination).replace(/(.)\/$/, '$1');
    byPlace.delete(place);
    byPlace.set(place, mount);
  }
  const depth = (m: SpecMount) => posix.normalize(m.destination).split('/').filter(Boolean).length;
  return [...byPlace.values()]
    .map((m, i) => ({ m, i }))
    .sort((a, b) => depth(a.m) - depth(b.m) || a.i - b.i)
    .map(({ m }) => m);
}
