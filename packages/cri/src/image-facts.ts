/** The user of an image's configuration as CRI says it: a number as uid, any other as username; root when the image names none. */
export function imageOwner(configured: string | undefined) {
  const user = configured?.split(':')[0] || '0';
  return /^\d+$/.test(user) ? { uid: { value: BigInt(user) } } : { username: user };
}

/** What images and containers use, where both are on one file system. */
export function imageFilesystems({ now, mountpoint, usedBytes, inodes }: { now: number; mountpoint: string; usedBytes: number; inodes: number }) {
  const filesystem = {
    timestamp: BigInt(now) * 1_000_000n,
    fsId: { mountpoint },
    usedBytes: { value: BigInt(usedBytes) },
    inodesUsed: { value: BigInt(inodes) },
  };
  return { imageFilesystems: [filesystem], containerFilesystems: [filesystem] };
}
