import type { KubeObject, ResourceDefinition } from '@coxswain/api';

/** How a kind is shown in rows: by its columns. */
export type Columns = Pick<ResourceDefinition, 'columns'>;

export type IncludeObject = 'None' | 'Metadata' | 'Object';

export function partialObject(object: KubeObject, version: string): object {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata: object.metadata };
}

const DEFAULT_COLUMNS = [
  { name: 'Name', type: 'string', format: 'name', description: 'The unique name of the object within its namespace', priority: 0 },
  { name: 'Created At', type: 'date', format: '', description: 'When the object was created', priority: 0 },
];

export function tableColumns(definition: Columns): object[] {
  if (definition.columns.length === 0) return DEFAULT_COLUMNS;
  return definition.columns.map(({ name, type, format, description, priority }) => ({
    name,
    type,
    format: format ?? '',
    description: description ?? '',
    priority,
  }));
}

export function tableRow(definition: Columns, object: KubeObject, include: IncludeObject, version: string, now: number): object {
  const cells =
    definition.columns.length === 0
      ? [object.metadata.name ?? '', object.metadata.creationTimestamp ?? null]
      : definition.columns.map((column) => column.cell(object, now));
  switch (include) {
    case 'None':
      return { cells, object: null };
    case 'Object':
      return { cells, object };
    case 'Metadata':
      return { cells, object: partialObject(object, version) };
  }
}

export function table(version: string, metadata: object, columnDefinitions: object[] | null, rows: object[]): object {
  return { kind: 'Table', apiVersion: `meta.k8s.io/${version}`, metadata, columnDefinitions, rows };
}
