import type { TableName } from './render-port.js';

/** What `iptables-save` printed of one table. */
export interface SavedTable {
  readonly chains: ReadonlySet<string>;
  /** Rules as they can be fed back, `-A CHAIN …`. */
  readonly rules: readonly string[];
}

const EMPTY: SavedTable = { chains: new Set(), rules: [] };

/** Pure. */
export function parseSaved(text: string): Readonly<Record<TableName, SavedTable>> {
  const tables = new Map<string, { chains: Set<string>; rules: string[] }>();
  let table: { chains: Set<string>; rules: string[] } | undefined;
  for (const line of text.split('\n')) {
    if (line.startsWith('*')) {
      table = { chains: new Set(), rules: [] };
      tables.set(line.slice(1).trim(), table);
    } else if (line.startsWith(':')) table?.chains.add(line.slice(1).split(' ')[0] ?? '');
    else if (line.startsWith('-A ')) table?.rules.push(line);
  }
  return { nat: tables.get('nat') ?? EMPTY, filter: tables.get('filter') ?? EMPTY };
}

/** The chain a saved rule is in, and the one it jumps to. Pure. */
export function endsOf(rule: string): { readonly from: string; readonly to: string | undefined } {
  return { from: rule.split(' ')[1] ?? '', to: / -[jg] (\S+)/.exec(rule)?.[1] };
}
