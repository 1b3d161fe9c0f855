import { useDeferredValue, useEffect, useMemo, useRef, useState } from 'react';
import type { Resource } from '../api/resource';
import type { TableRow } from '../api/table';
import { useTable } from '../api/use-table';
import { detailPath, navigate } from '../router';
import { title } from '../shell/catalog';
import { useResource } from '../shell/use-discovery';
import { useNamespace } from '../shell/use-namespace';
import { ErrorNotice, Loading } from '../ui/notice';
import { ResourceTable } from './resource-table';

interface ListPageProps {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

export function ListPage({ group, resource: name }: ListPageProps) {
  const resource = useResource(group, name);
  if (!resource) return <p className="notice">This cluster has no resource {group ? `${name}.${group}` : name}.</p>;
  return <ResourceList resource={resource} />;
}

function ResourceList({ resource }: { readonly resource: Resource }) {
  const { namespace } = useNamespace();
  const scope = resource.namespaced ? namespace : undefined;
  const [selector, setSelector] = useState('');
  const [wide, setWide] = useState(false);
  const [text, setText] = useState('');
  const table = useTable(resource, { namespace: scope, labelSelector: selector || undefined });
  const wanted = useDeferredValue(text.trim().toLowerCase());
  const rows = useMemo(() => (wanted === '' ? table.rows : table.rows.filter((row) => matches(row, wanted))), [table.rows, wanted]);
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const { tagName } = event.target as HTMLElement;
      if (event.key !== '/' || tagName === 'INPUT' || tagName === 'TEXTAREA') return;
      event.preventDefault();
      search.current?.focus();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  const open = (row: TableRow) => navigate(detailPath(resource, row.object.metadata.namespace, row.object.metadata.name));
  return (
    <section className="list" aria-label={title(resource)}>
      <header className="page-head">
        <h1>{title(resource)}</h1>
        <span className="count" role="status" aria-live="polite">
          {table.loading ? '' : wanted === '' ? table.rows.length : `${rows.length} of ${table.rows.length}`}
        </span>
        <span className={`live ${table.live ? 'on' : ''}`} title={table.live ? 'Changes are shown as they happen' : 'Not watching'}>
          {table.live ? 'live' : 'paused'}
        </span>
        <span className="spacer" />
        <input ref={search} type="search" aria-label="Search in the list" placeholder="Search  /" value={text} onChange={(e) => setText(e.target.value)} />
        <input
          type="search"
          aria-label="Label selector"
          placeholder="Label selector"
          onKeyDown={(e) => e.key === 'Enter' && setSelector(e.currentTarget.value.trim())}
          onBlur={(e) => setSelector(e.currentTarget.value.trim())}
        />
        <label className="check">
          <input type="checkbox" checked={wide} onChange={(e) => setWide(e.target.checked)} /> Wide
        </label>
      </header>
      {table.error && <ErrorNotice error={table.error} />}
      {table.loading ? (
        <Loading />
      ) : (
        <ResourceTable
          columns={table.columns}
          rows={rows}
          showNamespace={resource.namespaced && !scope}
          wide={wide}
          onOpen={open}
          {...(table.rows.length > 0 ? { empty: 'Nothing matches.' } : {})}
        />
      )}
    </section>
  );
}

function matches({ cells, object: { metadata } }: TableRow, wanted: string): boolean {
  if ((metadata.namespace ?? '').includes(wanted)) return true;
  if (cells.some((c) => String(c).toLowerCase().includes(wanted))) return true;
  return Object.entries(metadata.labels ?? {}).some(([k, v]) => `${k}=${v}`.includes(wanted));
}
