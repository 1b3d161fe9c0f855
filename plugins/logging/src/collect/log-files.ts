import { readdirSync, readlinkSync, realpathSync, statSync } from 'node:fs';
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

/** A change so short before a look may be followed by another with the same time. */
const CLOCK_TICK_MS = 50;

interface Listing<T> {
  readonly mtimeMs: number;
  readonly lookedAtMs: number;
  readonly entries: T;
}

/**
 * What there is to collect, looked at again and again, so a look costs what has changed: a folder that has not is not listed again, and
 * a link, which names one container for good, is followed once. Synchronous, because each of these calls is shorter than a turn of the event loop.
 */
export class LogFolders {
  readonly #containers = new Map<string, ContainerLog>();
  readonly #listings = new Map<string, Listing<readonly Omit<LogFile, 'size' | 'id'>[]>>();

  /** Wall clock, milliseconds: compared with the times of folders. */
  constructor(private readonly now: () => number) {}

  /** Every container that has a log in the folder of links; those whose file is gone already are left out. */
  containers(folder: string): ContainerLog[] {
    const found = new Map<string, ContainerLog>();
    const names = new Set(orNothing(() => readdirSync(folder)) ?? []);
    for (const name of names) {
      const log = this.#containers.get(name) ?? this.#follow(folder, name);
      // Restarts of a container share a folder: one entry stands for all of them.
      if (log) found.set(log.folder, log);
    }
    for (const name of this.#containers.keys()) if (!names.has(name)) this.#containers.delete(name);
    for (const listed of this.#listings.keys()) if (!found.has(listed)) this.#listings.delete(listed);
    return [...found.values()];
  }

  #follow(folder: string, name: string): ContainerLog | undefined {
    const match = LINK.exec(name);
    if (!match) return undefined;
    const [, pod = '', namespace = '', container = '', containerId = ''] = match;
    const link = join(folder, name);
    const real = orNothing(() => realpathSync.native(link));
    const file = real ?? orNothing(() => readlinkSync(link));
    if (file === undefined) return undefined;
    const home = dirname(file);
    const podUid = basename(dirname(home)).split('_').at(-1) ?? '';
    const log = { namespace, pod, container, containerId, folder: home, podUid };
    if (real !== undefined) this.#containers.set(name, log);
    return log;
  }

  /** The log files of a folder, the oldest first. */
  files(folder: string): LogFile[] {
    const mtimeMs = orNothing(() => statSync(folder))?.mtimeMs;
    if (mtimeMs === undefined) return [];
    let listing = this.#listings.get(folder);
    if (listing?.mtimeMs !== mtimeMs || listing.lookedAtMs - mtimeMs < CLOCK_TICK_MS) {
      listing = { mtimeMs, lookedAtMs: this.now(), entries: list(folder) };
      this.#listings.set(folder, listing);
    }
    return listing.entries.flatMap(({ path, compressed }) => {
      const found = orNothing(() => statSync(path));
      return found ? [{ path, id: `${found.dev}:${found.ino}`, size: found.size, compressed }] : [];
    });
  }
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

function list(folder: string): Omit<LogFile, 'size' | 'id'>[] {
  const known = (orNothing(() => readdirSync(folder)) ?? []).flatMap((name) => {
    const match = FILE.exec(name);
    return match ? [{ name, attempt: Number(match[1]), rotated: match[2] ?? '~', compressed: match[3] !== undefined }] : [];
  });
  known.sort((a, b) => a.attempt - b.attempt || (a.rotated < b.rotated ? -1 : a.rotated > b.rotated ? 1 : 0));
  return known.map(({ name, compressed }) => ({ path: join(folder, name), compressed }));
}

/** What is gone between two looks is nothing. */
function orNothing<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}
