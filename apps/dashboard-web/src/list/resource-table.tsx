import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import { keyOf, type TableColumn, type TableRow } from '../api/table';
import { Cell } from './cell';
import { type Sorting, sortRows } from './sort-rows';
import { useWindow } from './use-window';

const ROW_HEIGHT = 34;

interface ResourceTableProps {
  readonly columns: readonly TableColumn[];
  readonly rows: readonly TableRow[];
  readonly showNamespace: boolean;
  readonly wide: boolean;
  readonly onOpen: (row: TableRow) => void;
  /** What is said instead of a table without rows. */
  readonly empty?: string;
}

/** Only the rows in sight are in the document. Arrow keys, Page and Home/End move, Enter opens. */
export function ResourceTable({ columns, rows, showNamespace, wide, onOpen, empty = 'Nothing here.' }: ResourceTableProps) {
  const [sorting, setSorting] = useState<Sorting>({ by: '', descending: false });
  const sorted = useMemo(() => sortRows(rows, columns, sorting), [rows, columns, sorting]);
  const shown = useMemo(() => columns.map((column, index) => ({ column, index })).filter(({ column }) => wide || column.priority === 0), [columns, wide]);
  const widths = useMemo(() => columnWidths(shown, rows, showNamespace), [shown, rows, showNamespace]);
  const scroller = useRef<HTMLDivElement>(null);
  const { first, last } = useWindow(scroller, sorted.length, ROW_HEIGHT);
  const [active, setActive] = useState<string>();
  const at = active === undefined ? -1 : sorted.findIndex((row) => keyOf(row) === active);

  const move = (to: number) => {
    const row = sorted[Math.max(0, Math.min(sorted.length - 1, to))];
    if (!row) return;
    setActive(keyOf(row));
    const box = scroller.current;
    const top = Math.max(0, Math.min(sorted.length - 1, to)) * ROW_HEIGHT;
    if (!box) return;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + 2 * ROW_HEIGHT > box.scrollTop + box.clientHeight) box.scrollTop = top + 2 * ROW_HEIGHT - box.clientHeight;
  };
  const page = () => Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / ROW_HEIGHT) - 2);
  const onKeyDown = (event: KeyboardEvent) => {
    const moves: Record<string, () => void> = {
      ArrowDown: () => move(at + 1),
      ArrowUp: () => move(at - 1),
      PageDown: () => move(at + page()),
      PageUp: () => move(at - page()),
      Home: () => move(0),
      End: () => move(sorted.length - 1),
      Enter: () => sorted[at] && onOpen(sorted[at]),
    };
    const act = event.target === scroller.current ? moves[event.key] : undefined;
    if (!act) return;
    event.preventDefault();
    act();
  };
  useEffect(() => {
    if (active !== undefined && at < 0) setActive(undefined);
  }, [active, at]);

  const header = (name: string, label: string, description?: string) => {
    const on = sorting.by === name;
    return (
      <div key={name} role="columnheader" tabIndex={-1} aria-sort={on ? (sorting.descending ? 'descending' : 'ascending') : 'none'} title={description}>
        <button type="button" onClick={() => setSorting({ by: name, descending: on && !sorting.descending })}>
          {label}
          <span aria-hidden="true">{on ? (sorting.descending ? ' ↓' : ' ↑') : ''}</span>
        </button>
      </div>
    );
  };
  if (rows.length === 0) return <p className="notice">{empty}</p>;
  return (
    <div
      ref={scroller}
      className="table"
      role="grid"
      aria-rowcount={sorted.length + 1}
      tabIndex={0}
      onKeyDown={onKeyDown}
      aria-activedescendant={at >= 0 ? `row-${at}` : undefined}
      style={{ '--columns': widths } as React.CSSProperties}
    >
      <div className="row head" role="row" tabIndex={-1}>
        {showNamespace && header('', 'Namespace')}
        {shown.map(({ column }) => header(column.name, column.name, column.description))}
      </div>
      <div style={{ height: first * ROW_HEIGHT }} aria-hidden="true" />
      {sorted.slice(first, last).map((row, i) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the grid handles keys
        <div
          key={keyOf(row)}
          id={`row-${first + i}`}
          role="row"
          tabIndex={-1}
          aria-rowindex={first + i + 2}
          aria-selected={first + i === at}
          className={`row ${first + i === at ? 'active' : ''} ${row.object.metadata.deletionTimestamp ? 'going' : ''}`}
          onClick={() => onOpen(row)}
        >
          {showNamespace && (
            <div role="gridcell" tabIndex={-1} className="muted">
              {row.object.metadata.namespace}
            </div>
          )}
          {shown.map(({ column, index }) => (
            <Cell key={column.name} column={column} value={row.cells[index]} row={row} />
          ))}
        </div>
      ))}
      <div style={{ height: Math.max(0, sorted.length - last) * ROW_HEIGHT }} aria-hidden="true" />
    </div>
  );
}

/** As wide as what is in them, within limits, so that columns do not jump while scrolling. */
function columnWidths(shown: readonly { readonly column: TableColumn; readonly index: number }[], rows: readonly TableRow[], showNamespace: boolean): string {
  const sample = rows.slice(0, 300);
  const width = (texts: Iterable<string>, label: string) => {
    let longest = label.length + 2;
    for (const text of texts) longest = Math.max(longest, text.length);
    // Padding of the cell, and of a label in it.
    return `minmax(${Math.min(longest, 14) + 4}ch, ${Math.max(4, Math.min(longest, 46))}fr)`;
  };
  const columns = shown.map(({ column, index }) =>
    width(
      sample.map((r) => String(r.cells[index] ?? '')),
      column.name,
    ),
  );
  return [
    ...(showNamespace
      ? [
          width(
            sample.map((r) => r.object.metadata.namespace ?? ''),
            'Namespace',
          ),
        ]
      : []),
    ...columns,
  ].join(' ');
}
