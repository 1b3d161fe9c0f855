import type { RecordId } from './backend.js';
import { SortedMap } from './sorted-map.js';
import type { KeyValue } from './types.js';

/** One version of a key as the index knows it. `version` 0 is a tombstone. */
export interface Version {
  readonly modRevision: number;
  readonly sub: number;
  readonly createRevision: number;
  readonly version: number;
  readonly lease: number;
  /** Present while the value is in memory (always, as long as the version is not durable). */
  kv: KeyValue | undefined;
}

/** All versions of a key that have not been compacted, oldest first. */
export interface KeyHistory {
  readonly key: string;
  readonly versions: Version[];
}

interface Garbage {
  /** A compaction at or above this revision has something to remove here. */
  readonly at: number;
  readonly history: KeyHistory;
}

export interface Compacted {
  readonly ids: RecordId[];
  readonly versions: Version[];
}

/** The newest version of a history at or below `revision`; undefined when the key did not exist then. */
export function liveAt(history: KeyHistory, revision: number): Version | undefined {
  const { versions } = history;
  for (let i = versions.length - 1; i >= 0; i--) {
    const version = versions[i] as Version;
    if (version.modRevision <= revision) return version.version === 0 ? undefined : version;
  }
  return undefined;
}

/** The live version that `version` replaced. */
export function predecessor(history: KeyHistory, version: Version): Version | undefined {
  return liveAt(history, version.modRevision - 1);
}

/**
 * key → versions, sorted by key. Appends come in revision order. Compaction costs what it removes, not what exists:
 * each append that supersedes something leaves a note in a queue ordered by revision.
 */
export class KeyIndex {
  readonly #keys = new SortedMap<KeyHistory>();
  #garbage: Garbage[] = [];
  #garbageHead = 0;
  /** Tombstones at exactly the last compaction's revision: watchers from there on still need them. */
  #keptTombstones: KeyHistory[] = [];

  /** Keys known, deleted but not yet compacted ones included. */
  get size(): number {
    return this.#keys.size;
  }

  get(key: string): KeyHistory | undefined {
    return this.#keys.get(key);
  }

  visit(from: string, to: string | undefined, visit: (history: KeyHistory) => boolean): void {
    this.#keys.visit(from, to, visit);
  }

  /** Runs `fill`, in which much is appended and nothing visited. */
  fill(fill: () => void): void {
    this.#keys.fill(fill);
  }

  append(key: string, version: Version): KeyHistory {
    let history = this.#keys.get(key);
    if (!history) {
      history = { key, versions: [version] };
      this.#keys.set(key, history);
      if (version.version === 0) this.#garbage.push({ at: version.modRevision, history });
      return history;
    }
    history.versions.push(version);
    this.#garbage.push({ at: version.modRevision, history });
    return history;
  }

  /** Undo the newest append of `history`. Appends are undone in reverse order. */
  undo(history: KeyHistory): void {
    history.versions.pop();
    if (this.#garbage.at(-1)?.history === history && this.#garbage.length > this.#garbageHead) this.#garbage.pop();
    if (history.versions.length === 0) this.#keys.delete(history.key);
  }

  /** Remove what was superseded at or before `revision`, and older tombstones. */
  compact(revision: number): Compacted {
    const removed: Version[] = [];
    const kept: KeyHistory[] = [];
    const sweep = (history: KeyHistory) => {
      const { versions } = history;
      let newest = -1;
      while (newest + 1 < versions.length && (versions[newest + 1] as Version).modRevision <= revision) newest++;
      if (newest < 0) return;
      const last = versions[newest] as Version;
      const dead = last.version === 0 && last.modRevision < revision ? newest + 1 : newest;
      if (last.version === 0 && last.modRevision === revision) kept.push(history);
      if (dead > 0) removed.push(...versions.splice(0, dead));
      if (versions.length === 0 && this.#keys.get(history.key) === history) this.#keys.delete(history.key);
    };
    for (const history of this.#keptTombstones) sweep(history);
    while (this.#garbageHead < this.#garbage.length) {
      const { at, history } = this.#garbage[this.#garbageHead] as Garbage;
      if (at > revision) break;
      this.#garbageHead++;
      sweep(history);
    }
    if (this.#garbageHead > 1024 && this.#garbageHead * 2 > this.#garbage.length) {
      this.#garbage = this.#garbage.slice(this.#garbageHead);
      this.#garbageHead = 0;
    }
    this.#keptTombstones = [...new Set(kept)];
    return { ids: removed.map((v) => ({ revision: v.modRevision, sub: v.sub })), versions: removed };
  }
}
