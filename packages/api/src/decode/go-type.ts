import type { TypeSchema } from '../schema.js';

/** What upstream calls a type in its decoding errors. */
export function goType(type: TypeSchema): string {
  switch (type.kind) {
    case 'boolean':
      return 'bool';
    case 'integer':
      return type.format;
    case 'number':
      return 'float64';
    case 'bytes':
      return '[]uint8';
    case 'list':
      return `[]${goType(type.items)}`;
    case 'map':
      return `map[string]${goType(type.values)}`;
    case 'ref': {
      const parts = type.name.split('.');
      return parts.slice(-2).join('.');
    }
    case 'struct':
      return 'struct';
    case 'time':
      return 'v1.Time';
    case 'microTime':
      return 'v1.MicroTime';
    case 'duration':
      return 'v1.Duration';
    case 'quantity':
      return 'resource.Quantity';
    case 'intOrString':
      return 'int32';
    default:
      return 'string';
  }
}

/** What upstream calls a JSON value in its decoding errors. */
export function jsonType(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return typeof value;
}
