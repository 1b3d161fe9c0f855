import { once } from 'node:events';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  errnoName,
  idmapMount,
  mount,
  namespaceFlags,
  type PinnableNamespace,
  type ProgramEnd,
  type StartedProgram,
  startProgram,
  umountAll,
} from '@coxswain/linux';
import { installProgram } from '../elf/install-program.js';
import { namespacesProgram } from '../elf/namespaces-program.js';
import { hostElfArch } from '../elf/programs.js';
import { runtimeVersion } from '../oci/oci-programs.js';
import type { IdMapping, UserMappings } from './user-mappings.js';

export interface UserNamespacesOptions {
  /** Where a program may be written: its file system allows to execute. */
  readonly programDir: string;
  /** Folders with what containers have of ours: their users are nobody outside, and must get there. */
  readonly folders: readonly string[];
  /** For trying what the kernel can do: on the file system of containers' root file systems. Made and removed. */
  readonly scratchDir: string;
  /** What a RuntimeClass handler runs. */
  readonly program: (handler: string) => string;
}

/** OCI runtimes that were seen to join a user namespace by its path. */
const JOINING = /^(crun|runc) version /m;

/** Makes user namespaces, and knows whether pods can have them here: by the kernel, by the file system, by the OCI runtime. */
export class UserNamespaces {
  readonly #options: UserNamespacesOptions;
  readonly #runtimes = new Map<string, Promise<string | undefined>>();
  #kernel: Promise<string | undefined> | undefined;
  /** While it is looked for: the status of a server asks for all handlers at once. */
  #unreached: Promise<string | undefined> | undefined;
  #installed: Promise<string> | undefined;

  constructor(options: UserNamespacesOptions) {
    this.#options = options;
  }

  /** Why pods of this RuntimeClass handler cannot have one; undefined: they can. The kernel and the runtime are tried once. */
  async problem(handler: string): Promise<string | undefined> {
    this.#unreached ??= unreachable(this.#options.folders).finally(() => {
      this.#unreached = undefined;
    });
    const unreached = await this.#unreached;
    if (unreached !== undefined) return `${unreached} is not to be entered by others (chmod o+x)`;
    this.#kernel ??= this.#tryKernel().then(
      () => undefined,
      (error: Error) => error.message,
    );
    let runtime = this.#runtimes.get(handler);
    if (!runtime) this.#runtimes.set(handler, (runtime = runtimeProblem(this.#options.program(handler))));
    return (await this.#kernel) ?? runtime;
  }

  /**
   * Runs `use` while a process is in new namespaces of `kinds` and a user namespace with these mappings, which owns them. The namespaces
   * go with the process unless they are pinned.
   */
  async within<T>(users: UserMappings, kinds: readonly PinnableNamespace[], use: (pid: number) => Promise<T>): Promise<T> {
    this.#installed ??= this.#install();
    const holder = await startProgram({ path: await this.#installed, args: [], env: {}, descriptors: ['input', 'pipe', 'null'] });
    const ended = holder.endAfter(1);
    // Whoever waits for it learns of a failure; after `use` nobody does.
    ended.catch(() => {});
    try {
      await unshared(holder, namespaceFlags([...kinds, 'user']), ended);
      await writeFile(`/proc/${holder.pid}/uid_map`, mapText(users.uids));
      await writeFile(`/proc/${holder.pid}/gid_map`, mapText(users.gids));
      return await use(holder.pid);
    } finally {
      holder.input(0).destroy();
    }
  }

  async #install(): Promise<string> {
    const path = join(this.#options.programDir, 'namespaces');
    await installProgram(path, namespacesProgram(hostElfArch()));
    return path;
  }

  /** Throws unless an overlay of a mapped layer shows its owners as they should be. */
  async #tryKernel(): Promise<void> {
    const { scratchDir } = this.#options;
    const first = { containerId: 0, hostId: 65_536, length: 65_536 };
    const at = (name: string) => join(scratchDir, name);
    const clean = async () => {
      await umountAll(scratchDir);
      await rm(scratchDir, { recursive: true, force: true });
    };
    await clean();
    try {
      for (const name of ['layer', 'mapped', 'upper', 'work', 'root']) await mkdir(at(name), { recursive: true, mode: 0o700 });
      await writeFile(join(at('layer'), 'file'), '');
      await this.within({ uids: [first], gids: [first] }, [], (pid) =>
        idmapMount({ source: at('layer'), target: at('mapped'), userns: `/proc/${pid}/ns/user` }),
      );
      const data = `lowerdir=${at('mapped')},upperdir=${at('upper')},workdir=${at('work')}`;
      await mount({ type: 'overlay', source: 'overlay', target: at('root'), data });
      const { uid } = await stat(join(at('root'), 'file'));
      if (uid !== first.hostId) throw new Error('overlay file systems of this kernel do not heed the id mappings of their layers');
    } finally {
      await clean();
    }
  }
}

/** The first folder on the way that only some may enter. */
async function unreachable(folders: readonly string[]): Promise<string | undefined> {
  const way = new Set(folders.flatMap((folder) => folder.split('/').map((_, i, parts) => parts.slice(0, i + 1).join('/') || '/')));
  for (const folder of way) if (((await stat(folder)).mode & 0o001) === 0) return folder;
  return undefined;
}

const mapText = (mappings: readonly IdMapping[]) => mappings.map((m) => `${m.containerId} ${m.hostId} ${m.length}\n`).join('');

/** Once the process is in its namespaces. */
async function unshared(holder: StartedProgram, flags: number, ended: Promise<ProgramEnd>): Promise<void> {
  const wish = Buffer.alloc(4);
  wish.writeUInt32LE(flags);
  const input = holder.input(0);
  input.on('error', () => {});
  const said = once(holder.pipe(1), 'data').then(() => undefined);
  // The pipe may break after the process has ended: its end says why.
  said.catch(() => {});
  input.write(wish);
  const end = await Promise.race([said, ended]);
  if (end) throw new Error(`a user namespace cannot be made: ${end.code ? errnoName(256 - end.code) : 'the process ended'}`);
}

const runtimeProblem = async (program: string): Promise<string | undefined> =>
  JOINING.test(await runtimeVersion(program)) ? undefined : `the OCI runtime ${program} is neither crun nor runc`;
