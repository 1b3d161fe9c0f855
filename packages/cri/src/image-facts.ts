/** The user of an image's configuration as CRI says it: a number as uid, any other as username; root when the image names none. */
export function imageOwner(configured: string | undefined) {
  const user = configured?.split(':')[0] || '0';
  return /^\d+$/.test(user) ? { uid: { value: BigInt(user) } } : { username: user };
}

/** Bytes, and files where they are counted. */
export interface StoreUsage {
  readonly size: bigint;
  readonly inodes?: bigint;
}

export interface ImageFilesystemFacts {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly mountpoint: string;
  /** What read-only layers take. */
  readonly images: StoreUsage;
  /** What writable layers take. */
  readonly containers: StoreUsage;
}

/** What images and containers use, where both are on one file system. */
export function imageFilesystems({ now, mountpoint, images, containers }: ImageFilesystemFacts) {
  const filesystem = ({ size, inodes }: StoreUsage) => ({
    timestamp: BigInt(now) * 1_000_000n,
    fsId: { mountpoint },
    usedBytes: { value: size },
    ...(inodes === undefined ? {} : { inodesUsed: { value: inodes } }),
  });
  return { imageFilesystems: [filesystem(images)], containerFilesystems: [filesystem(containers)] };
}
