import { newId } from '@coxswain/cri';
import { join } from 'node:path';
import { createPinnedNamespaces, deletePinnedNamespaces, isAlive, isPinnedNamespace, mountTmpfs, processIdentity, umountTarget } from '@coxswain/linux';
import type { Random } from '@coxswain/sdk';
import type { PauseRunner } from './pause.js';
import type { HeldNamespaces, NamespaceWish, SandboxHolder } from './sandbox-holder.js';
import type { SandboxRecord } from './sandbox-record.js';
import { hostRoot } from './user-mappings.js';
import type { UserNamespaces } from './user-namespaces.js';

const SHM_BYTES = 64 * 1024 * 1024;

export interface PinnedHolderOptions {
  /** Does not survive reboots: namespaces, shared memory. */
  readonly stateDir: string;
  readonly pause: PauseRunner;
  /** Absent: pods have none of their own. */
  readonly users?: UserNamespaces;
  readonly random: Random;
}

/** Namespaces pinned as bind mounts; a process only when the pod shares its PID namespace. */
export class PinnedHolder implements SandboxHolder {
  constructor(private readonly options: PinnedHolderOptions) {}

  async usersProblem(runtimeHandler: string): Promise<string | undefined> {
    return this.options.users ? this.options.users.problem(runtimeHandler) : 'this CRI server makes none';
  }

  async reserve(): Promise<string> {
    return newId(this.options.random);
  }

  async hold(sandbox: SandboxRecord, { kinds, sysctls, hostname, users }: NamespaceWish): Promise<HeldNamespaces> {
    const maker = this.options.users;
    const root = users && hostRoot(users);
    const create = (pid?: number) =>
      createPinnedNamespaces({
        dir: join(this.#dir(sandbox.id), 'ns'),
        kinds: [...kinds, ...(root ? (['user'] as const) : [])],
        sysctls: { ...sysctls },
        ...(kinds.includes('uts') && hostname ? { hostname } : {}),
        ...(pid !== undefined && root ? { of: { pid, rootUid: root.uid } } : {}),
      });
    const [namespaces] = await Promise.all([
      users && maker ? maker.within(users, kinds, create) : kinds.length === 0 ? {} : create(),
      kinds.includes('ipc')
        ? mountTmpfs({ target: this.shmPath(sandbox.id), sizeBytes: SHM_BYTES, mode: 0o1777, noExec: true, noSuid: true, noDev: true, ...root })
        : undefined,
    ]);
    return { namespaces };
  }

  async alive(record: SandboxRecord): Promise<boolean> {
    for (const path of Object.values(record.namespaces)) if (path && !(await isPinnedNamespace(path))) return false;
    if (record.pausePid === undefined) return true;
    const identity = processIdentity(record.pausePid);
    return identity !== undefined && isAlive(identity);
  }

  start(sandbox: SandboxRecord, cgroupsPath: string): Promise<number> {
    return this.options.pause.start(sandbox, cgroupsPath);
  }

  async release(id: string, hasProcess: boolean): Promise<void> {
    if (hasProcess) await this.options.pause.remove(id);
    await deletePinnedNamespaces(join(this.#dir(id), 'ns'));
    await umountTarget(this.shmPath(id));
  }

  async forget(): Promise<void> {
    // A pinned namespace is all there was.
  }

  async found(): Promise<[]> {
    // Nothing is made before its record.
    return [];
  }

  shmPath(id: string): string {
    return join(this.#dir(id), 'shm');
  }

  #dir(id: string): string {
    return join(this.options.stateDir, id);
  }
}
