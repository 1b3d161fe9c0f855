import type { Element, RenderedPort } from './render-port.js';

const EMPTY: RenderedPort = { chains: new Map(), sets: new Map(), elements: [] };

/** The owner whose value counts when several claim one key, which two Services with one external IP do. */
function winner(claims: ReadonlyMap<string, Element>): Element | undefined {
  let best: string | undefined;
  for (const owner of claims.keys()) if (best === undefined || owner < best) best = owner;
  return best === undefined ? undefined : claims.get(best);
}

const sameRules = (a: readonly string[] | undefined, b: readonly string[] | undefined) =>
  a !== undefined && b !== undefined && a.length === b.length && a.every((rule, i) => rule === b[i]);

/**
 * What is in the table, and the commands from one state to the next. Pure: it is told about changes and gives text.
 * The commands are proportional to the change; an element that several Services claim is there once.
 */
export class Ruleset {
  private readonly ports = new Map<string, RenderedPort>();
  private readonly claims = new Map<string, Map<string, Element>>();

  constructor(private readonly table: string) {}

  private element(command: 'add' | 'delete', e: Element): string {
    return `${command} element inet ${this.table} ${e.set} { ${e.key}${e.value === undefined ? '' : ` : ${e.value}`} }`;
  }

  private claim(owner: string, before: RenderedPort, after: RenderedPort, touched: Map<string, Element | undefined>): void {
    const id = (e: Element) => `${e.set} ${e.key}`;
    const remember = (key: string) => {
      if (!touched.has(key)) touched.set(key, winner(this.claims.get(key) ?? new Map()));
    };
    for (const e of before.elements) {
      remember(id(e));
      const claims = this.claims.get(id(e));
      claims?.delete(owner);
      if (claims?.size === 0) this.claims.delete(id(e));
    }
    for (const e of after.elements) {
      remember(id(e));
      const claims = this.claims.get(id(e)) ?? new Map<string, Element>();
      claims.set(owner, e);
      this.claims.set(id(e), claims);
    }
  }

  /** Takes the changes in and returns the commands for one transaction; none when nothing changes. */
  change(upsert: ReadonlyMap<string, RenderedPort>, remove: Iterable<string>): string[] {
    const addObjects: string[] = [];
    const flush: string[] = [];
    const rules: string[] = [];
    const deleteObjects: string[] = [];
    const touched = new Map<string, Element | undefined>();
    const t = `inet ${this.table}`;

    const next = new Map<string, RenderedPort>(upsert);
    for (const key of remove) if (!next.has(key)) next.set(key, EMPTY);
    for (const [key, after] of next) {
      const before = this.ports.get(key) ?? EMPTY;
      for (const [name, definition] of after.sets) {
        const old = before.sets.get(name);
        if (old === definition) continue;
        // A set's timeout cannot be changed in place; its rules are written anew below anyway.
        if (old !== undefined) deleteObjects.push(`delete set ${t} ${name}`, `add set ${t} ${name} { ${definition} }`);
        else addObjects.push(`add set ${t} ${name} { ${definition} }`);
      }
      const setsChanged = [...after.sets].some(([name, d]) => before.sets.has(name) && before.sets.get(name) !== d);
      for (const [name, body] of after.chains) {
        const old = before.chains.get(name);
        if (!setsChanged && sameRules(old, body)) continue;
        if (old === undefined) addObjects.push(`add chain ${t} ${name}`);
        else flush.push(`flush chain ${t} ${name}`);
        for (const rule of body) rules.push(`add rule ${t} ${name} ${rule}`);
      }
      const goneChains = [...before.chains.keys()].filter((name) => !after.chains.has(name));
      for (const name of goneChains) flush.push(`flush chain ${t} ${name}`);
      for (const name of goneChains) deleteObjects.push(`delete chain ${t} ${name}`);
      for (const name of before.sets.keys()) if (!after.sets.has(name)) deleteObjects.push(`delete set ${t} ${name}`);
      this.claim(key, before, after, touched);
      if (after === EMPTY) this.ports.delete(key);
      else this.ports.set(key, after);
    }

    const deleteElements: string[] = [];
    const addElements: string[] = [];
    for (const [key, old] of touched) {
      const now = winner(this.claims.get(key) ?? new Map());
      if (old?.value === now?.value && (old === undefined) === (now === undefined)) continue;
      if (old) deleteElements.push(this.element('delete', old));
      if (now) addElements.push(this.element('add', now));
    }
    // Sets that are made anew must be without rules then, and with them again after.
    const replaced = deleteObjects.filter((line) => line.startsWith('add set'));
    const replacedDeletes = deleteObjects.filter(
      (line) => line.startsWith('delete set') && replaced.some((a) => a.startsWith(`add set ${t} ${line.split(' ').at(-1)} `)),
    );
    const deletes = deleteObjects.filter((line) => !replaced.includes(line) && !replacedDeletes.includes(line));
    return [
      ...addObjects,
      ...flush,
      ...deleteElements,
      ...replacedDeletes,
      ...replaced,
      ...rules,
      ...addElements,
      ...deletes.filter((line) => line.startsWith('delete chain')),
      ...deletes.filter((line) => line.startsWith('delete set')),
    ];
  }

  /** Commands that make everything in an empty table. */
  full(): string[] {
    const t = `inet ${this.table}`;
    const out: string[] = [];
    for (const port of this.ports.values()) {
      for (const [name, definition] of port.sets) out.push(`add set ${t} ${name} { ${definition} }`);
      for (const name of port.chains.keys()) out.push(`add chain ${t} ${name}`);
    }
    for (const port of this.ports.values()) {
      for (const [name, body] of port.chains) for (const rule of body) out.push(`add rule ${t} ${name} ${rule}`);
    }
    for (const claims of this.claims.values()) {
      const e = winner(claims);
      if (e) out.push(this.element('add', e));
    }
    return out;
  }
}
