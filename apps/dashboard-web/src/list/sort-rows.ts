import type { TableColumn, TableRow } from '../api/table';

export interface Sorting {
  /** A column's name; `''`: by namespace. */
  readonly by: string;
  readonly descending: boolean;
}

/** Ages sort by when things were made, whatever the server prints. */
export function sortRows(rows: readonly TableRow[], columns: readonly TableColumn[], { by, descending }: Sorting): TableRow[] {
  const index = columns.findIndex((c) => c.name === by);
  const sign = descending ? -1 : 1;
  const name = (row: TableRow) => `${row.object.metadata.namespace ?? ''}/${row.object.metadata.name}`;
  const value =
    by === ''
      ? (row: TableRow) => row.object.metadata.namespace ?? ''
      : by === 'Age'
        ? (row: TableRow) => -Date.parse(row.object.metadata.creationTimestamp ?? '') || 0
        : (row: TableRow) => row.cells[index] ?? '';
  return [...rows].sort((a, b) => sign * compare(value(a), value(b)) || compare(name(a), name(b)));
}

const collator = new Intl.Collator('en', { numeric: true });

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return collator.compare(String(a), String(b));
}
