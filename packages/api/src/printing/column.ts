import type { KubeObject, PrinterColumn } from '../definition.js';
import type { Container, LabelSelector } from '../generated/types.js';
import { ageOf } from './human-duration.js';

type Cell = string | number | boolean | null;

/** A column of a typed object. Suffix the name with `*` for one only `-o wide` shows. */
export function column<T extends KubeObject = KubeObject>(
  name: string,
  cell: (object: T, now: number) => Cell,
  type: PrinterColumn['type'] = 'string',
): PrinterColumn {
  const wide = name.endsWith('*');
  return {
    name: wide ? name.slice(0, -1) : name,
    type,
    format: '',
    priority: wide ? 1 : 0,
    cell: cell as PrinterColumn['cell'],
  };
}

export const nameColumn: PrinterColumn = { ...column('Name', (object) => object.metadata.name ?? ''), format: 'name' };

export const ageColumn: PrinterColumn = column('Age', (object, now) => ageOf(object.metadata.creationTimestamp, now));

/** The column of kinds upstream prints without a table of their own. */
export const createdAtColumn: PrinterColumn = column('Created At', (object) => object.metadata.creationTimestamp ?? '', 'date');

/** As role and limit range lists show it. */
export const createdAtTextColumn: PrinterColumn = column('Created At', (object) => object.metadata.creationTimestamp ?? '<unknown>');

/** `Containers` and `Images`, for workloads with a pod template. */
export function containerColumns<T extends KubeObject>(containers: (object: T) => readonly Container[] | undefined): PrinterColumn[] {
  return [
    column<T>('Containers*', (object) => (containers(object) ?? []).map(({ name }) => name).join(',')),
    column<T>('Images*', (object) => (containers(object) ?? []).map(({ image }) => image ?? '').join(',')),
  ];
}

/** `a=b,c=d` in key order, `<none>` when empty. */
export function formatLabels(labels: Readonly<Record<string, string>> | undefined): string {
  const entries = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.length === 0 ? '<none>' : entries.map(([key, value]) => `${key}=${value}`).join(',');
}

/** A label selector in the text form of query parameters; `<none>` when it selects everything or is absent. */
export function formatLabelSelector(selector: LabelSelector | undefined): string {
  const requirements = Object.entries(selector?.matchLabels ?? {})
    .map(([key, value]) => ({ key, text: `${key}=${value}` }))
    .concat(
      (selector?.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
        const list = `(${[...values].sort().join(',')})`;
        if (operator === 'In') return { key, text: `${key} in ${list}` };
        if (operator === 'NotIn') return { key, text: `${key} notin ${list}` };
        return { key, text: operator === 'Exists' ? key : `!${key}` };
      }),
    )
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return requirements.length === 0 ? '<none>' : requirements.map(({ text }) => text).join(',');
}

/** At most `max` entries, then `+ n more...`. */
export function listWithMore(entries: readonly string[], max: number, separator = ',', total = entries.length): string {
  const shown = entries.slice(0, max).join(separator);
  return total > max && entries.length > max ? `${shown} + ${total - max} more...` : shown;
}

/** `True`, `False` or `<unset>`. */
export const printBoolean = (value: boolean | undefined): string => (value === undefined ? '<unset>' : value ? 'True' : 'False');
