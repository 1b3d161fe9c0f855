import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** How far a file has been collected. */
export interface Position {
  readonly offset: number;
  /** Where it was last seen; tells its compressed successor. */
  readonly path: string;
}

/** Positions by device and inode. Saved whole, after the lines before them are safe. */
export class Positions {
  readonly #positions = new Map<string, Position>();
  #dirty = false;

  constructor(readonly file: string) {
    let saved: unknown;
    try {
      saved = JSON.parse(readFileSync(file, 'utf8'));
    } catch {
      // None yet, or damaged: what the store has is newer anyway.
      return;
    }
    for (const [id, position] of Object.entries(saved as Record<string, Position>)) this.#positions.set(id, position);
  }

  get(id: string): Position | undefined {
    return this.#positions.get(id);
  }

  set(id: string, position: Position): void {
    const known = this.#positions.get(id);
    if (known?.offset === position.offset && known.path === position.path) return;
    this.#positions.set(id, position);
    this.#dirty = true;
  }

  /** Files that are gone are forgotten. */
  keep(ids: ReadonlySet<string>): void {
    for (const id of this.#positions.keys()) {
      if (ids.has(id)) continue;
      this.#positions.delete(id);
      this.#dirty = true;
    }
  }

  *entries(): Iterable<[string, Position]> {
    yield* this.#positions;
  }

  save(): void {
    if (!this.#dirty) return;
    mkdirSync(dirname(this.file), { recursive: true });
    writeFileSync(`${this.file}.tmp`, JSON.stringify(Object.fromEntries(this.#positions)), { mode: 0o600, flush: true });
    renameSync(`${this.file}.tmp`, this.file);
    this.#dirty = false;
  }
}
