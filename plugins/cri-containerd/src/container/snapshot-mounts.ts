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
