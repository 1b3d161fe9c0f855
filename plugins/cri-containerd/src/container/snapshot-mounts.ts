import type { MappedLayers, PodUsers } from '@coxswain/cri-runtime';

/** A snapshot's mount as containerd describes it. */
export interface SnapshotMount {
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** The folders of a snapshot, uppermost first: what an overlay or a bind mount would show, without mounting it. */
export function snapshotLayers(mounts: readonly SnapshotMount[]): string[] {
  const mount = mounts[0];
  if (!mount) return [];
  if (mount.type !== 'overlay') return [mount.source];
  const option = (name: string) => mount.options.find((o) => o.startsWith(`${name}=`))?.slice(name.length + 1);
  return [option('upperdir'), ...(option('lowerdir')?.split(':') ?? [])].filter((d): d is string => d !== undefined && d !== '');
}

/** Its mounts over layers owned as a user namespace maps their owners, while `use` makes them. The writable folder stays what it is. */
export function duringMapped<T>(
  layers: MappedLayers,
  mounts: readonly SnapshotMount[],
  users: PodUsers,
  use: (mounts: readonly SnapshotMount[]) => Promise<T>,
): Promise<T> {
  const writable = (m: SnapshotMount) => m.options.some((o) => o.startsWith('upperdir='));
  const [mount] = mounts;
  if (!mount) return use(mounts);
  const lowers = writable(mount) ? snapshotLayers(mounts).slice(1) : snapshotLayers(mounts);
  return layers.during(lowers, users, (mapped) =>
    use([
      mount.type === 'overlay'
        ? { ...mount, options: mount.options.map((o) => (o.startsWith('lowerdir=') ? `lowerdir=${mapped.join(':')}` : o)) }
        : { ...mount, source: mapped[0] as string },
    ]),
  );
}
