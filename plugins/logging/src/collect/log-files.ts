import { readdir, readlink, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** A container of this node, as its link in the containers folder names it. */
export interface ContainerLog {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly containerId: string;
  /** The folder of its log files, `…/pods/NAMESPACE_POD_UID/CONTAINER`. */
  readonly folder: string;
  readonly podUid: string;
}

/** `POD_NAMESPACE_CONTAINER-ID.log`, which the kubelet links to `…/pods/NAMESPACE_POD_UID/CONTAINER/N.log`. */
const LINK = /^([a-z0-9][a-z0-9.-]*)_([a-z0-9-]+)_(.+)-([0-9a-f]{12,64})\.log$/;

/** Every container that has a log here; those whose file is gone already are left out. */
export async function containerLogs(folder: string): Promise<ContainerLog[]> {
  const names = await readdir(folder).catch(() => []);
  const found = new Map<string, ContainerLog>();
  for (const name of names) {
    const match = LINK.exec(name);
    if (!match) continue;
    const [, pod = '', namespace = '', container = '', containerId = ''] = match;
    const link = join(folder, name);
    const file = await realpath(link).catch(() => readlink(link).catch(() => undefined));
    if (file === undefined) continue;
    const home = dirname(file);
    const podUid = basename(dirname(home)).split('_').at(-1) ?? '';
    // Restarts of a container share a folder: one entry stands for all of them.
    found.set(home, { namespace, pod, container, containerId, folder: home, podUid });
  }
  return [...found.values()];
}

export interface LogFile {
  readonly path: string;
  /** Device and inode: stays when the file is renamed. */
  readonly id: string;
  readonly size: number;
  readonly compressed: boolean;
}

/** `0.log`, rotated `0.log.20260131-120000`, and the same with `.gz`. */
const FILE = /^(\d+)\.log(?:\.(\d{8}-\d{6}))?(\.gz)?$/;

/** The log files of a folder, the oldest first. */
export async function logFiles(folder: string): Promise<LogFile[]> {
  const names = await readdir(folder).catch(() => []);
  const known = names.flatMap((name) => {
    const match = FILE.exec(name);
    return match ? [{ name, attempt: Number(match[1]), rotated: match[2] ?? '~', compressed: match[3] !== undefined }] : [];
  });
  known.sort((a, b) => a.attempt - b.attempt || (a.rotated < b.rotated ? -1 : a.rotated > b.rotated ? 1 : 0));
  const files: LogFile[] = [];
  for (const { name, compressed } of known) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found) files.push({ path, id: `${found.dev}:${found.ino}`, size: found.size, compressed });
  }
  return files;
}
