import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type CgroupDetails, v1Details, v2Details } from './details.js';
import { type CgroupLayout, detectCgroups } from './detect.js';
import type { CgroupLimits, CgroupStats } from './limits.js';
import { v1Files, v1Stats } from './v1.js';
import { v2Files, v2Stats } from './v2.js';

/** Sleeps between tries while killed processes leave; `Clock.sleep` fits. */
export type Sleep = (ms: number) => Promise<void>;

const V1_USED = ['cpu', 'cpuacct', 'memory', 'pids', 'freezer', 'cpuset', 'devices'];

const code = (error: unknown) => (error as NodeJS.ErrnoException).code;
const isAbsent = (error: unknown) => ['ENOENT', 'ENODEV', 'EOPNOTSUPP'].includes(code(error) ?? '');

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

function readOptionalSync(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** The value of a cpuset's file, after taking that of the nearest ancestor (`depth` of them are groups) that has one. Undefined: there is no such file. */
function inherit(dir: string, file: string, depth: number): string | undefined {
  const own = readOptionalSync(join(dir, file));
  if (own === undefined || own.trim() !== '' || depth === 0) return own;
  const value = inherit(dirname(dir), file, depth - 1);
  if (value !== undefined) writeFileSync(join(dir, file), value);
  return value;
}

/**
 * One control group, by its path below the hierarchy roots (`/coxswain/pod123`), on cgroup v1 or v2.
 * The cgroupfs driver's view: one folder per controller on v1, one in all on v2.
 */
export class Cgroup {
  private constructor(
    readonly path: string,
    readonly layout: CgroupLayout,
  ) {}

  static async at(path: string, layout?: CgroupLayout): Promise<Cgroup> {
    if (!path.startsWith('/') || path.split('/').includes('..')) throw new TypeError(`not a cgroup path: ${JSON.stringify(path)}`);
    return new Cgroup(path, layout ?? (await detectCgroups()));
  }

  /** The folder of one controller (v2: of all). Undefined when the machine does not have the controller. */
  directory(controller: string): string | undefined {
    if (this.layout.version === 2) return join(this.layout.root, this.path);
    const root = this.layout.controllers.get(controller);
    return root === undefined ? undefined : join(root, this.path);
  }

  private directories(): string[] {
    if (this.layout.version === 2) return [join(this.layout.root, this.path)];
    const { controllers } = this.layout;
    return [...new Set(V1_USED.flatMap((name) => controllers.get(name) ?? []))].map((root) => join(root, this.path));
  }

  /** Also those we do not write to: runtimes make their groups in every hierarchy there is, named and hybrid ones included. */
  private everywhere(): string[] {
    if (this.layout.version === 2) return this.directories();
    const { controllers, unified } = this.layout;
    return [...new Set([...controllers.values(), ...(unified === undefined ? [] : [unified])])].map((root) => join(root, this.path));
  }

  /** Idempotent. */
  async create(): Promise<void> {
    if (this.layout.version === 2) await this.delegateV2(this.layout.root);
    await Promise.all(this.directories().map((dir) => mkdir(dir, { recursive: true })));
    if (this.layout.version === 1) this.inheritCpuset();
  }

  /** v2 controllers must be switched on in every ancestor. A controller that is not available is left out. */
  private async delegateV2(root: string): Promise<void> {
    let dir = root;
    for (const part of this.path.split('/').filter(Boolean)) {
      const available = (await readFile(join(dir, 'cgroup.controllers'), 'utf8')).trim().split(' ');
      for (const controller of ['cpu', 'memory', 'pids', 'cpuset', 'io', 'hugetlb'].filter((c) => available.includes(c))) {
        await writeFile(join(dir, 'cgroup.subtree_control'), `+${controller}`);
      }
      dir = join(dir, part);
      await mkdir(dir, { recursive: true });
    }
  }

  /**
   * A v1 cpuset starts empty and takes no process until it has CPUs and memory nodes. Synchronous, as are the limits: control files are memory
   * of the kernel's, and every pod's start writes some of them.
   */
  private inheritCpuset(): void {
    const leaf = this.directory('cpuset');
    if (!leaf) return;
    const depth = this.path.split('/').filter(Boolean).length;
    for (const file of ['cpuset.cpus', 'cpuset.mems']) inherit(leaf, file, depth);
  }

  async exists(): Promise<boolean> {
    const dir = this.directory('memory') ?? this.directory('cpu');
    return dir !== undefined && existsSync(join(dir, 'cgroup.procs'));
  }

  /** Sets what is given and leaves the rest. Rejects with the kernel's error and the file that refused. */
  async setLimits(limits: CgroupLimits): Promise<void> {
    const files = this.layout.version === 2 ? v2Files(limits) : v1Files(limits);
    for (const { controller, file, value } of files) {
      const dir = this.directory(controller);
      if (dir !== undefined) writeFileSync(join(dir, file), value);
    }
  }

  async addProcess(pid: number): Promise<void> {
    for (const dir of this.directories()) await writeFile(join(dir, 'cgroup.procs'), String(pid));
  }

  /** Pids in this group and all below it. */
  async processes(): Promise<number[]> {
    const dir = this.layout.version === 2 ? this.directory('') : (this.directory('pids') ?? this.directory('memory'));
    return dir === undefined ? [] : pidsIn([dir]);
  }

  async stats(): Promise<CgroupStats> {
    return this.layout.version === 2 ? v2Stats(this.#read) : v1Stats(this.#read);
  }

  async details(): Promise<CgroupDetails> {
    return this.layout.version === 2 ? v2Details(this.#read) : v1Details(this.#read);
  }

  /** The kernel makes these texts as they are read: a trip to the thread pool for each would cost more than all of them. */
  readonly #read = (controller: string, file: string): string | undefined => {
    const dir = this.directory(controller);
    return dir === undefined ? undefined : readOptionalSync(join(dir, file));
  };

  /** SIGKILL to everything inside, until nothing is left (forks included) or `tries` ran out; true when empty. */
  async killAll(sleep: Sleep, tries = 50): Promise<boolean> {
    const dir = this.directory('');
    for (let i = 0; i < tries; i++) {
      // In every hierarchy: who forks while it joins one after the other leaves children in some of them only.
      const pids = await pidsIn(this.everywhere());
      if (pids.length === 0) return true;
      let killed = false;
      if (this.layout.version === 2 && dir !== undefined) {
        killed = await writeFile(join(dir, 'cgroup.kill'), '1').then(
          () => true,
          () => false,
        );
      }
      if (!killed) {
        for (const pid of pids) {
          try {
            process.kill(pid, 'SIGKILL');
          } catch (error) {
            if (code(error) !== 'ESRCH') throw error;
          }
        }
      }
      await sleep(Math.min(5 * (i + 1), 100));
    }
    return (await pidsIn(this.everywhere())).length === 0;
  }

  /** Kills everything inside and removes the group and all below it, again while there is somebody. Idempotent. */
  async clear(sleep: Sleep, tries = 50): Promise<void> {
    for (let i = 1; ; i++) {
      await this.killAll(sleep);
      try {
        return await this.delete();
      } catch (error) {
        // One that was just being started joined late, or one that has ended still counts for a moment.
        if (code(error) !== 'EBUSY' || i === tries) throw error;
        await sleep(Math.min(5 * i, 100));
      }
    }
  }

  /** Removes the group and all below it; it must be empty of processes. Idempotent. */
  async delete(): Promise<void> {
    for (const dir of this.everywhere()) {
      for (const path of (await tree(dir)).reverse()) {
        await rmdir(path).catch((error: unknown) => {
          if (code(error) !== 'ENOENT') throw error;
        });
      }
    }
  }
}

/** Pids in these folders and all below them. */
async function pidsIn(dirs: readonly string[]): Promise<number[]> {
  const out = new Set<number>();
  for (const dir of dirs)
    for (const path of await tree(dir))
      for (const line of ((await readOptional(join(path, 'cgroup.procs'))) ?? '').split('\n')) if (line) out.add(Number(line));
  return [...out];
}

/** `dir` and every folder below it, parents first; empty when it is not there. */
async function tree(dir: string): Promise<string[]> {
  let entries: { name: string; isDirectory(): boolean }[];
  try {
    entries = await readdir(dir, { withFileTypes: true });
  } catch (error) {
    if (code(error) === 'ENOENT') return [];
    throw error;
  }
  const below = await Promise.all(entries.filter((e) => e.isDirectory()).map((e) => tree(join(dir, e.name))));
  return [dir, ...below.flat()];
}
