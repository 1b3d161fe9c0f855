import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '@coxswain/api';
import type { Paths } from '../paths.js';

/** Ids of a pod's user namespace: container ids 0…length-1 are `hostId`… on the host. */
export interface IdRange {
  readonly containerId: number;
  readonly hostId: number;
  readonly length: number;
}

/** Upstream's: one block of 65536 ids a pod; block 0 is the host's own users. */
const LENGTH = 65_536;
const LAST_BLOCK = 0xffff;

/** Gives each pod with `hostUsers: false` a range of ids of its own, kept in the pod's folder for the next kubelet. */
export class UserNamespaces {
  readonly #paths: Paths;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(paths: Paths) {
    this.#paths = paths;
  }

  /** The pod's range; undefined: it uses the host's users. */
  async rangeOf(pod: Pod): Promise<IdRange | undefined> {
    if (pod.spec?.hostUsers !== false) return undefined;
    const uid = pod.metadata?.uid ?? '';
    // One at a time: two pods must not find the same block free.
    const range = this.#turn.then(async () => (await this.#read(uid)) ?? this.#take(uid));
    this.#turn = range.catch(() => {});
    return range;
  }

  async #take(uid: string): Promise<IdRange> {
    const taken = new Set<number>();
    for (const other of await readdir(this.#paths.pods).catch(() => [])) taken.add(((await this.#read(other))?.hostId ?? 0) / LENGTH);
    let block = 1;
    while (taken.has(block)) block++;
    if (block > LAST_BLOCK) throw new Error('no range of user ids is left for a user namespace');
    const range: IdRange = { containerId: 0, hostId: block * LENGTH, length: LENGTH };
    const path = this.#file(uid);
    await mkdir(this.#paths.pod(uid), { recursive: true, mode: 0o750 });
    await writeFile(`${path}.tmp`, JSON.stringify({ uidMappings: [range], gidMappings: [range] }), { mode: 0o600 });
    await rename(`${path}.tmp`, path);
    return range;
  }

  async #read(uid: string): Promise<IdRange | undefined> {
    const text = await readFile(this.#file(uid), 'utf8').catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text) as { readonly uidMappings: readonly IdRange[] }).uidMappings[0];
  }

  #file(uid: string): string {
    return join(this.#paths.pod(uid), 'userns');
  }
}
