/** Where nft, conntrack, iptables, losetup and mkfs are; not on the PATH of everybody who becomes root (`su`, cron). */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** A PATH with the system's folders behind what it has. */
export function withSystemFolders(path: string | undefined): string {
  const folders = (path ?? '/usr/local/bin:/usr/bin:/bin').split(':');
  return [...folders, ...SYSTEM_FOLDERS.filter((folder) => !folders.includes(folder))].join(':');
}

/** For this process and all it starts. */
export function searchSystemFolders(): void {
  process.env['PATH'] = withSystemFolders(process.env['PATH']);
}
