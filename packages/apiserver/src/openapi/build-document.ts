import type { Describe } from '@coxswain/api';
import type { ServedResource } from '../registry/served-resource.js';
import { SUPPORTED_TYPES } from '../request/accept.js';
import { pathsOf } from './operations.js';
import type { Dialect, JsonSchema } from './schema-json.js';
import { SchemaWriter } from './schema-json.js';
import { writePathItem } from './write-paths.js';

export interface DocumentParts {
  readonly paths: Record<string, JsonSchema>;
  readonly definitions: Record<string, JsonSchema>;
}

/** Paths and definitions of these resources. */
export function documentParts(
  resources: readonly ServedResource[],
  dialect: Dialect,
  describe: Describe,
  groupVersions: readonly { readonly group: string; readonly version: string }[],
  lookup: ServedResource['lookup'],
): DocumentParts {
  const writer = new SchemaWriter({ lookup, describe, dialect, groupVersions });
  const paths: Record<string, JsonSchema> = {};
  for (const served of resources) {
    const { definition, openApi } = served;
    const listSchema = `${definition.schema.slice(0, definition.schema.lastIndexOf('.'))}.${definition.listKind}`;
    if (openApi) {
      addCustom(writer, served);
      if (!definition.virtual)
        writer.putList(listSchema, definition.schema, { group: definition.group, version: definition.version, kind: definition.listKind });
    }
    const source = { definition, listSchema, strategic: !openApi, mediaTypes: openApi ? SUPPORTED_TYPES.slice(0, 2) : SUPPORTED_TYPES };
    for (const item of pathsOf(source)) paths[item.path] = writePathItem(item, definition, writer);
  }
  return { paths: sorted(paths), definitions: sorted(writer.definitions) };
}

/** The kind itself, and the built-in types it refers to. */
function addCustom(writer: SchemaWriter, { definition, openApi }: ServedResource): void {
  if (!openApi) return;
  const schema = openApi.schema(writer.source.dialect);
  writer.put(definition.schema, schema);
  for (const name of references(schema)) writer.ref(name);
}

function* references(value: unknown): IterableIterator<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    if (key === '$ref' && typeof member === 'string') yield member.slice(member.lastIndexOf('/') + 1);
    else yield* references(member);
  }
}

function sorted<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}
