import type { ObjectMeta } from './resource';

export interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  /** 0: always shown; more: with `-o wide`. */
  readonly priority: number;
}

export interface TableRow {
  readonly cells: readonly unknown[];
  readonly object: { readonly metadata: ObjectMeta };
}

/** What the API server prints of a list, `meta.k8s.io/v1`. */
export interface ServerTable {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly columnDefinitions: readonly TableColumn[];
  readonly rows: readonly TableRow[];
}

export interface TableEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: ServerTable & { readonly message?: string; readonly code?: number };
}

export const keyOf = ({ object: { metadata } }: TableRow) => metadata.uid ?? `${metadata.namespace ?? ''}/${metadata.name}`;

/** Rows by key, and the version they are at. */
export class TableState {
  readonly #rows = new Map<string, TableRow>();
  columns: readonly TableColumn[] = [];
  resourceVersion = '';

  replace(tables: readonly ServerTable[]): void {
    this.#rows.clear();
    for (const table of tables) for (const row of table.rows) this.#rows.set(keyOf(row), row);
    const last = tables.at(-1);
    this.columns = tables[0]?.columnDefinitions ?? [];
    this.resourceVersion = last?.metadata.resourceVersion ?? '';
  }

  /** Returns whether a row changed; throws what an ERROR event says. */
  apply({ type, object }: TableEvent): boolean {
    if (type === 'ERROR') throw Object.assign(new Error(object.message ?? 'the watch ended'), { code: object.code });
    const version = object.metadata?.resourceVersion || object.rows?.[0]?.object.metadata.resourceVersion;
    if (version) this.resourceVersion = version;
    if (type === 'BOOKMARK') return false;
    // Only a watch's first event says what the columns are.
    if (object.columnDefinitions?.length > 0) this.columns = object.columnDefinitions;
    for (const row of object.rows ?? []) {
      if (type === 'DELETED') this.#rows.delete(keyOf(row));
      else this.#rows.set(keyOf(row), row);
    }
    return true;
  }

  rows(): TableRow[] {
    return [...this.#rows.values()];
  }
}
