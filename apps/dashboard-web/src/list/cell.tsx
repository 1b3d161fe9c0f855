import { useEffect, useState } from 'react';
import type { TableColumn, TableRow } from '../api/table';
import { age } from '../ui/age';
import { tone } from './tone';

interface CellProps {
  readonly column: TableColumn;
  readonly value: unknown;
  readonly row: TableRow;
}

export function Cell({ column, value, row }: CellProps) {
  const text = column.name === 'Age' ? <Age since={row.object.metadata.creationTimestamp} fallback={String(value ?? '')} /> : format(value);
  const isName = column.format === 'name';
  const colour = isName ? undefined : tone(column.name, String(value ?? ''));
  return (
    <div role="gridcell" tabIndex={-1} className={isName ? 'name' : ''} title={typeof value === 'string' && value.length > 24 ? value : undefined}>
      {colour ? <span className={`pill ${colour}`}>{text}</span> : text}
    </div>
  );
}

function format(value: unknown): string {
  if (value === null || value === undefined || value === '') return '';
  if (typeof value === 'object') return JSON.stringify(value);
  return String(value);
}

/** The server's ages stand still; ours go on. */
export function Age({ since, fallback = '' }: { readonly since: string | undefined; readonly fallback?: string }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 5000);
    return () => clearInterval(timer);
  }, []);
  return <time dateTime={since}>{since ? age(since) : fallback}</time>;
}
