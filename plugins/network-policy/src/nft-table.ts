import type { NftFamily } from '@coxswain/linux';

/** A set or map. */
interface NftSet {
  readonly definition: string;
  readonly elements: Map<string, string | undefined>;
}

const ABSENT = Symbol('absent');
type Before = string | undefined | typeof ABSENT;

/**
 * Chains, sets and elements of one table as they should be, and the commands from what was last committed to that. Pure.
 * Commands are proportional to the changes between two commits; a change that was taken back costs nothing.
 */
export class NftTable {
  private readonly chains = new Map<string, readonly string[]>();
  private readonly sets = new Map<string, NftSet>();
  // How things were at the last commit, for those touched since.
  private readonly chainsBefore = new Map<string, readonly string[] | undefined>();
  private readonly setsBefore = new Map<string, NftSet | undefined>();
  private readonly elementsBefore = new Map<string, Map<string, Before>>();

  constructor(
    readonly family: NftFamily,
    readonly name: string,
    /** Sets and maps that the table is born with (`base` of `full`), always there. */
    private readonly bornWith: readonly string[],
  ) {
    for (const set of bornWith) this.sets.set(set, { definition: '', elements: new Map() });
  }

  setChain(name: string, rules: readonly string[]): void {
    if (!this.chainsBefore.has(name)) this.chainsBefore.set(name, this.chains.get(name));
    this.chains.set(name, rules);
  }

  deleteChain(name: string): void {
    if (!this.chainsBefore.has(name)) this.chainsBefore.set(name, this.chains.get(name));
    this.chains.delete(name);
  }

  addSet(name: string, definition: string): void {
    if (!this.setsBefore.has(name)) this.setsBefore.set(name, this.sets.get(name));
    this.sets.set(name, { definition, elements: new Map() });
  }

  deleteSet(name: string): void {
    if (!this.setsBefore.has(name)) this.setsBefore.set(name, this.sets.get(name));
    this.sets.delete(name);
    this.elementsBefore.delete(name);
  }

  /** `value` for maps. */
  setElement(set: string, key: string, value?: string): void {
    this.touch(set, key).set(key, value);
  }

  deleteElement(set: string, key: string): void {
    this.touch(set, key).delete(key);
  }

  private touch(name: string, key: string): Map<string, string | undefined> {
    const set = this.sets.get(name);
    if (!set) throw new Error(`there is no set ${name}`);
    let before = this.elementsBefore.get(name);
    if (!before) this.elementsBefore.set(name, (before = new Map()));
    if (!before.has(key)) before.set(key, set.elements.has(key) ? set.elements.get(key) : ABSENT);
    return set.elements;
  }

  private get path(): string {
    return `${this.family} ${this.name}`;
  }

  private elements(command: 'add' | 'delete', set: string, elements: readonly (readonly [string, string | undefined])[]): string[] {
    if (elements.length === 0) return [];
    const list = elements.map(([key, value]) => (value === undefined ? key : `${key} : ${value}`)).join(', ');
    return [`${command} element ${this.path} ${set} { ${list} }`];
  }

  /** Commands for one transaction; none when nothing changed. What they do counts as done from then on. */
  commit(): string[] {
    const { path } = this;
    const made: string[] = [];
    const flushed: string[] = [];
    const taken: string[] = [];
    const rules: string[] = [];
    const added: string[] = [];
    const gone: string[] = [];
    const fresh = new Set<string>();
    for (const [name, before] of this.setsBefore) {
      const now = this.sets.get(name);
      if (!before && now) {
        made.push(`add set ${path} ${name} { ${now.definition} }`);
        fresh.add(name);
      } else if (before && !now) gone.push(`delete set ${path} ${name}`);
      else if (before && now && before !== now) {
        // Went and came again since: what it held is not known any more.
        made.push(`flush set ${path} ${name}`);
        fresh.add(name);
      }
    }
    for (const [name, before] of this.chainsBefore) {
      const now = this.chains.get(name);
      if (before && now && before.length === now.length && before.every((rule, i) => rule === now[i])) continue;
      if (before) flushed.push(`flush chain ${path} ${name}`);
      if (now) {
        if (!before) made.push(`add chain ${path} ${name}`);
        rules.push(...now.map((rule) => `add rule ${path} ${name} ${rule}`));
      } else if (before) gone.unshift(`delete chain ${path} ${name}`);
    }
    for (const [name, touched] of this.elementsBefore) {
      const now = this.sets.get(name)?.elements;
      if (!now) continue;
      const toDelete: [string, string | undefined][] = [];
      const toAdd: [string, string | undefined][] = [];
      for (const [key, before] of touched) {
        const same = before === ABSENT ? !now.has(key) : now.has(key) && now.get(key) === before;
        if (same) continue;
        if (before !== ABSENT && !fresh.has(name)) toDelete.push([key, before]);
        if (now.has(key)) toAdd.push([key, now.get(key)]);
      }
      taken.push(...this.elements('delete', name, toDelete));
      added.push(...this.elements('add', name, toAdd));
    }
    this.settle();
    return [...made, ...flushed, ...taken, ...rules, ...added, ...gone];
  }

  /** A script that makes all of it anew around `base`, which declares the table with what it is born with. */
  full(base: string): string {
    const { path } = this;
    const lines: string[] = [];
    for (const [name, set] of this.sets) {
      if (!this.bornWith.includes(name)) lines.push(`add set ${path} ${name} { ${set.definition} }`);
    }
    for (const name of this.chains.keys()) lines.push(`add chain ${path} ${name}`);
    for (const [name, rules] of this.chains) for (const rule of rules) lines.push(`add rule ${path} ${name} ${rule}`);
    for (const [name, set] of this.sets) lines.push(...this.elements('add', name, [...set.elements]));
    this.settle();
    // Removing and making in one transaction: packets see the old table or the new one, and never none.
    return `table ${path}\ndelete table ${path}\n${base}${lines.map((line) => `${line}\n`).join('')}`;
  }

  private settle(): void {
    this.chainsBefore.clear();
    this.setsBefore.clear();
    this.elementsBefore.clear();
  }
}
