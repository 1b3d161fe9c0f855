import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '@coxswain/api';
import type { Paths } from '../paths.js';
import { readSubordinateIds } from './subordinate-ids.js';

/** Ids of a pod's user namespace: container ids 0…length-1 are `hostId`… on the host. */
export interface IdRange {
  readonly containerId: number;
  readonly hostId: number;
  readonly length: number;
}

/** Every range starts at a multiple of this and is one long; the first is the host's own users. */
export const ID_BLOCK = 65_536;
const ALL_IDS = 2 ** 32;

export interface UserNamespacesOptions {
  /** Ids of one pod, a multiple of `ID_BLOCK`. */
  readonly idsPerPod: number;
  readonly maxPods: number;
  /** Where subuid and subgid are. Default `/etc`. */
  readonly etc?: string;
}

interface StoredRange {
  readonly uidMappings: readonly IdRange[];
  readonly gidMappings: readonly IdRange[];
}

/** Gives each pod with `hostUsers: false` a range of ids of its own, kept in the pod's folder for the next kubelet, and free again without it. */
export class UserNamespaces {
  readonly #paths: Paths;
  readonly #idsPerPod: number;
  readonly #from: number;
  readonly #to: number;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(paths: Paths, idsPerPod: number, from: number, length: number) {
    this.#paths = paths;
    this.#idsPerPod = idsPerPod;
    this.#from = from;
    this.#to = from + length;
  }

  /** Ranges are taken from the ids that /etc/subuid and /etc/subgid give the user `kubelet`, or from all but the first block. Throws when those will not do. */
  static async open(paths: Paths, { idsPerPod, maxPods, etc = '/etc' }: UserNamespacesOptions): Promise<UserNamespaces> {
    const given = await readSubordinateIds('kubelet', etc);
    if (!given) return new UserNamespaces(paths, idsPerPod, idsPerPod, ALL_IDS - idsPerPod);
    const { first, count } = given;
    if (first % idsPerPod !== 0) throw new Error(`kubelet user assigned ID ${first} is not a multiple of ${idsPerPod}`);
    if (first < idsPerPod) throw new Error(`kubelet user assigned ID ${first} must be greater or equal to ${idsPerPod}`);
    if (count % idsPerPod !== 0) throw new Error(`kubelet user assigned IDs length ${count} is not a multiple of ${idsPerPod}`);
    if (count / idsPerPod < maxPods) throw new Error(`kubelet user assigned IDs are not enough to support ${maxPods} pods`);
    if (first + count > ALL_IDS) throw new Error(`kubelet user assigned IDs ${first} to ${first + count - 1} are more than there are`);
    return new UserNamespaces(paths, idsPerPod, first, count);
  }

  /** The pod's range; undefined: it uses the host's users. */
  async rangeOf(pod: Pod): Promise<IdRange | undefined> {
    if (pod.spec?.hostUsers !== false) return undefined;
    const uid = pod.metadata?.uid ?? '';
    // One at a time: two pods must not find the same range free.
    const range = this.#turn.then(async () => (await this.#read(uid)) ?? this.#take(uid));
    this.#turn = range.catch(() => {});
    return range;
  }

  async #take(uid: string): Promise<IdRange> {
    const pods = await readdir(this.#paths.pods).catch(() => [] as string[]);
    const taken = (await Promise.all(pods.map((other) => this.#read(other)))).filter((r) => r !== undefined);
    const free = (from: number) => taken.every((r) => r.hostId >= from + this.#idsPerPod || r.hostId + r.length <= from);
    let hostId = this.#from;
    while (hostId + this.#idsPerPod <= this.#to && !free(hostId)) hostId += this.#idsPerPod;
    if (hostId + this.#idsPerPod > this.#to) throw new Error('could not find an empty slot to allocate a user namespace');
    const range: IdRange = { containerId: 0, hostId, length: this.#idsPerPod };
    await mkdir(this.#paths.pod(uid), { recursive: true, mode: 0o750 });
    await this.#write(uid, { uidMappings: [range], gidMappings: [range] });
    return range;
  }

  /** Files may already be owned by these ids when the machine goes down: written for good. */
  async #write(uid: string, range: StoredRange): Promise<void> {
    const path = this.#file(uid);
    const file = await open(`${path}.tmp`, 'w', 0o600);
    try {
      await file.writeFile(JSON.stringify(range));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(`${path}.tmp`, path);
    const folder = await open(this.#paths.pod(uid), 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  }

  async #read(uid: string): Promise<IdRange | undefined> {
    const text = await readFile(this.#file(uid), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
      throw error;
    });
    if (text === undefined) return undefined;
    let stored: Partial<StoredRange>;
    try {
      stored = JSON.parse(text) as Partial<StoredRange>;
    } catch (cause) {
      throw new Error(`${this.#file(uid)} holds no user namespace: ${(cause as Error).message}`, { cause });
    }
    const [range, ...more] = stored.uidMappings ?? [];
    if (!range || more.length > 0 || range.containerId !== 0 || JSON.stringify(stored.uidMappings) !== JSON.stringify(stored.gidMappings))
      throw new Error(`${this.#file(uid)} holds no user namespace: one mapping from id 0 on is needed, the same for users and groups`);
    return range;
  }

  #file(uid: string): string {
    return join(this.#paths.pod(uid), 'userns');
  }
}
