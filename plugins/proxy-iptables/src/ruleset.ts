import type { BaseTable } from './base-chains.js';
import type { ChainNames } from './names.js';
import type { RenderedPort, SharedRule, TableName } from './render-port.js';
import { endsOf, type SavedTable } from './saved-rules.js';

const EMPTY: RenderedPort = { chains: new Map(), shared: [] };
/** Rejecting goes before translating, as upstream: a port that gets endpoints is not refused any more when it is translated. */
const ORDER: readonly TableName[] = ['filter', 'nat'];

const idOf = (rule: SharedRule) => `${rule.table} ${rule.chain} ${rule.rule}`;
const sameRules = (a: readonly string[] | undefined, b: readonly string[]) => a !== undefined && a.length === b.length && a.every((rule, i) => rule === b[i]);

/** Lines for `iptables-restore`, by table; empty tables are left out. */
function restoreText(tables: Readonly<Record<TableName, readonly string[]>>): string {
  return ORDER.flatMap((table) => (tables[table].length > 0 ? [`*${table}`, ...tables[table], 'COMMIT'] : []))
    .map((line) => `${line}\n`)
    .join('');
}

/** With `--noflush`, naming a chain makes it, or empties it. */
const declare = (chain: string) => `:${chain} - [0:0]`;

/**
 * The rules of one family and the restore input from one state to the next. Pure: it is told about changes and gives text.
 * A port's chains are written when they change; in chains that all Services share, single rules come and go. So the input is
 * proportional to the change.
 */
export class Ruleset {
  private readonly ports = new Map<string, RenderedPort>();

  constructor(
    private readonly names: ChainNames,
    private readonly base: Readonly<Record<TableName, BaseTable>>,
  ) {}

  get empty(): boolean {
    return this.ports.size === 0;
  }

  /** Takes the changes in and returns restore input for them; empty when nothing changes. */
  change(upsert: ReadonlyMap<string, RenderedPort>, remove: Iterable<string>): string {
    const next = new Map(upsert);
    for (const key of remove) if (!next.has(key)) next.set(key, EMPTY);
    const written: string[] = [];
    const gone: string[] = [];
    const shared: Record<TableName, string[]> = { nat: [], filter: [] };
    for (const [key, after] of next) {
      const before = this.ports.get(key) ?? EMPTY;
      for (const [chain, rules] of after.chains) {
        if (sameRules(before.chains.get(chain), rules)) continue;
        written.push(declare(chain), ...rules.map((rule) => `-A ${chain} ${rule}`));
      }
      for (const chain of before.chains.keys()) if (!after.chains.has(chain)) gone.push(chain);
      const was = new Set(before.shared.map(idOf));
      const is = new Set(after.shared.map(idOf));
      for (const rule of before.shared) if (!is.has(idOf(rule))) shared[rule.table].push(`-D ${rule.chain} ${rule.rule}`);
      // At the head: the last rule of KUBE-SERVICES must stay the last.
      for (const rule of after.shared) if (!was.has(idOf(rule))) shared[rule.table].push(`-I ${rule.chain} 1 ${rule.rule}`);
      if (after.chains.size + after.shared.length === 0) this.ports.delete(key);
      else this.ports.set(key, after);
    }
    // Chains are named before rules that jump to them, emptied before they go, and gone after the last jump to them went.
    const declared = written.filter((line) => line.startsWith(':'));
    const rules = written.filter((line) => !line.startsWith(':'));
    return restoreText({
      filter: shared.filter,
      nat: [...declared, ...gone.map(declare), ...rules, ...shared.nat, ...gone.map((chain) => `-X ${chain}`)],
    });
  }

  /** Restore input that replaces whatever `saved` shows of an earlier run: whole chains anew, what is not wanted any more removed. */
  full(saved: Readonly<Record<TableName, SavedTable>>): string {
    const out: Record<TableName, string[]> = { nat: [], filter: [] };
    const ports = [...this.ports.values()];
    for (const table of ORDER) {
      const { chains: fixed, jumps } = this.base[table];
      const own = new Map<string, readonly string[]>();
      for (const [chain, rules] of fixed) {
        own.set(chain, [
          ...ports
            .flatMap((p) => p.shared)
            .filter((s) => s.table === table && s.chain === chain)
            .map((s) => s.rule),
          ...rules,
        ]);
      }
      if (table === 'nat') for (const port of ports) for (const [chain, rules] of port.chains) own.set(chain, rules);
      const stale = [...saved[table].chains].filter((chain) => this.names.isPort(chain) && !own.has(chain));
      const present = new Set(saved[table].rules.map((rule) => `${endsOf(rule).from} ${endsOf(rule).to}`));
      out[table].push(
        ...[...own.keys(), ...stale].map(declare),
        ...[...own].flatMap(([chain, rules]) => rules.map((rule) => `-A ${chain} ${rule}`)),
        // In reverse, each at the head: so they end in order, and before rules of others.
        ...jumps
          .filter((j) => !present.has(`${j.from} ${j.to}`))
          .toReversed()
          .map((j) => `-I ${j.from} 1 ${j.rule}`),
        ...stale.map((chain) => `-X ${chain}`),
      );
    }
    return restoreText(out);
  }

  /** Restore input that removes everything of ours that `saved` shows. */
  removal(saved: Readonly<Record<TableName, SavedTable>>): string {
    const out: Record<TableName, string[]> = { nat: [], filter: [] };
    for (const table of ORDER) {
      const own = new Set([...saved[table].chains].filter((chain) => this.names.isPort(chain) || this.base[table].chains.has(chain)));
      const jumps = saved[table].rules.filter((rule) => {
        const { from, to } = endsOf(rule);
        return !own.has(from) && to !== undefined && own.has(to);
      });
      out[table].push(...[...own].map(declare), ...jumps.map((rule) => rule.replace(/^-A/, '-D')), ...[...own].map((chain) => `-X ${chain}`));
    }
    return restoreText(out);
  }
}
