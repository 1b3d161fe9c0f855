import { useEffect, useState } from 'react';
import { json, k8s, lines, request, sleep } from './request';
import { collectionPath, type Resource, resourceKey } from './resource';
import { StatusError } from './status-error';
import { type ServerTable, type TableColumn, type TableEvent, type TableRow, TableState } from './table';

const AS_TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const PAGE = 500;
/** Changes are shown together: a thousand pods that start are not a thousand renderings. */
const SHOW_EVERY_MS = 120;

export interface LiveTable {
  readonly columns: readonly TableColumn[];
  readonly rows: readonly TableRow[];
  readonly loading: boolean;
  /** The watch is on. */
  readonly live: boolean;
  readonly error: Error | undefined;
}

const EMPTY: LiveTable = { columns: [], rows: [], loading: true, live: false, error: undefined };

export interface TableQuery {
  readonly namespace?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/** A list as the server prints it, kept current by a watch. */
export function useTable(resource: Resource | undefined, { namespace, labelSelector, fieldSelector }: TableQuery): LiveTable {
  const [table, setTable] = useState<LiveTable>(EMPTY);
  const key = resource ? resourceKey(resource) : '';
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for the resource
  useEffect(() => {
    if (!resource) return;
    setTable(EMPTY);
    const end = new AbortController();
    const query = new URLSearchParams();
    if (labelSelector) query.set('labelSelector', labelSelector);
    if (fieldSelector) query.set('fieldSelector', fieldSelector);
    void follow(resource, namespace, query, setTable, end.signal);
    return () => end.abort();
  }, [key, namespace, labelSelector, fieldSelector]);
  return table;
}

async function follow(
  resource: Resource,
  namespace: string | undefined,
  query: URLSearchParams,
  show: (table: LiveTable) => void,
  signal: AbortSignal,
): Promise<void> {
  const path = k8s(collectionPath(resource, namespace));
  const state = new TableState();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let live = false;
  const render = (error?: Error) => {
    timer = undefined;
    if (!signal.aborted) show({ columns: state.columns, rows: state.rows(), loading: false, live, error });
  };
  const soon = () => (timer ??= setTimeout(render, SHOW_EVERY_MS));
  for (let failures = 0; !signal.aborted; ) {
    try {
      state.replace(await listAll(path, query, signal));
      render();
      if (!resource.verbs.includes('watch')) return;
      for (;;) {
        live = true;
        render();
        const watch = new URLSearchParams(query);
        watch.set('watch', '1');
        watch.set('allowWatchBookmarks', 'true');
        watch.set('resourceVersion', state.resourceVersion);
        const response = await request(`${path}?${watch}`, { accept: AS_TABLE, signal });
        for await (const batch of lines(response)) {
          for (const line of batch) if (line !== '' && state.apply(JSON.parse(line) as TableEvent)) soon();
          failures = 0;
        }
        // The server ends watches now and then: go on from where this one was.
        await sleep(200, signal);
        if (signal.aborted) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      live = false;
      clearTimeout(timer);
      const forbidden = error instanceof StatusError && (error.code === 403 || error.code === 404 || error.code === 405);
      // A connection that breaks once is no news: what is shown stays, and the next try tells.
      render(error instanceof StatusError || failures > 1 ? (error as Error) : undefined);
      if (forbidden) return;
      await sleep(Math.min(10_000, 500 * 2 ** failures++), signal);
    }
  }
}

async function listAll(path: string, query: URLSearchParams, signal: AbortSignal): Promise<ServerTable[]> {
  const pages: ServerTable[] = [];
  for (let next: string | undefined = ''; next !== undefined; ) {
    const page = new URLSearchParams(query);
    page.set('limit', String(PAGE));
    if (next !== '') page.set('continue', next);
    const table: ServerTable = await json<ServerTable>(`${path}?${page}`, { accept: AS_TABLE, signal });
    pages.push(table);
    next = table.metadata.continue || undefined;
  }
  return pages;
}
