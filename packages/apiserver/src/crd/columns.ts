import { humanDuration } from '@coxswain/api';
import type { CustomResourceColumnDefinition, KubeObject, PrinterColumn } from '@coxswain/api';
import type { CrdVersion } from './json-schema.js';
import { compileJsonPath } from './json-path.js';

const NAME: PrinterColumn = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name of the object, unique in its namespace.',
  priority: 0,
  cell: ({ metadata }) => metadata.name ?? '',
};
const AGE: CustomResourceColumnDefinition = { name: 'Age', type: 'date', description: 'When the object was created.', jsonPath: '.metadata.creationTimestamp' };

/** The name, then what the version asks for; the age when it asks for nothing. */
export function columnsOf({ additionalPrinterColumns }: CrdVersion): PrinterColumn[] {
  const asked = additionalPrinterColumns?.length ? additionalPrinterColumns : [AGE];
  return [NAME, ...asked.map(columnOf)];
}

function columnOf({ name, type, format, description, priority, jsonPath }: CustomResourceColumnDefinition): PrinterColumn {
  const path = compileJsonPath(jsonPath);
  return {
    name,
    type: type as PrinterColumn['type'],
    ...(format ? { format: format as NonNullable<PrinterColumn['format']> } : {}),
    ...(description ? { description } : {}),
    priority: priority ?? 0,
    cell: (object: KubeObject, now: number) => (path ? cellOf(type, path(object)[0], now) : null),
  };
}

function cellOf(type: string, value: unknown, now: number): string | number | boolean | null {
  if (value === undefined || value === null) return null;
  switch (type) {
    case 'string':
      return typeof value === 'string' ? value : typeof value === 'object' ? JSON.stringify(value) : String(value);
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date': {
      if (typeof value !== 'string') return null;
      const then = Date.parse(value);
      return Number.isNaN(then) ? '<invalid>' : humanDuration(now - then);
    }
    default:
      return null;
  }
}
