import type { FieldError, KubeObject, PrinterColumn, ResourceDefinition, ResourceStrategy, SchemaLookup, Subresource, Verb } from '@coxswain/api';
import type { ApiColumn, ApiKind, ApiServerDefinition, Clock, Logger, Random } from '@coxswain/sdk';
import { columnsOf } from '../crd/columns.js';
import { customRegistration } from '../crd/custom-registration.js';
import type { Crd, CrdVersion } from '../crd/json-schema.js';
import { ruleCheckOf } from '../crd/rules/rule-check.js';
import { validateCrd } from '../crd/validate-crd.js';
import type { Registration, ResourceRegistry } from '../registry/resource-registry.js';
import { HandledSource } from './handled-source.js';
import { HandledStorage } from './handled-storage.js';

export interface KindEnv {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** A kind as the custom resource definition that would describe it: all the rules of those hold for it. */
export function crdOf({ group, version }: ApiServerDefinition, kind: ApiKind): Crd {
  const jsonColumns = (kind.columns ?? []).flatMap((column) =>
    'jsonPath' in column ? [{ name: column.name, type: column.type, jsonPath: column.jsonPath, ...(column.format ? { format: column.format } : {}) }] : [],
  );
  const served: CrdVersion = {
    name: version,
    served: true,
    storage: true,
    schema: { openAPIV3Schema: kind.schema },
    subresources: { ...(kind.status ? { status: {} } : {}), ...(kind.scale ? { scale: kind.scale } : {}) },
    ...(jsonColumns.length > 0 ? { additionalPrinterColumns: jsonColumns } : {}),
    ...(kind.selectableFields?.length ? { selectableFields: kind.selectableFields.map((jsonPath) => ({ jsonPath })) } : {}),
  } as CrdVersion;
  const names = {
    plural: kind.plural,
    singular: kind.singular ?? kind.kind.toLowerCase(),
    kind: kind.kind,
    listKind: kind.listKind ?? `${kind.kind}List`,
    ...(kind.shortNames?.length ? { shortNames: [...kind.shortNames] } : {}),
    ...(kind.categories?.length ? { categories: [...kind.categories] } : {}),
  };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    // No CRD of a protected group is made: the server is what its owner runs.
    metadata: { name: `${kind.plural}.${group}`, annotations: { 'api-approved.kubernetes.io': 'unapproved, a custom API server' } },
    spec: { group, scope: kind.scope, names, versions: [served] },
    status: { storedVersions: [version] },
  } as Crd;
}

/** What is wrong with a kind, by field. */
export function kindProblems(definition: ApiServerDefinition, kind: ApiKind): string[] {
  return validateCrd(crdOf(definition, kind)).map(({ field, message }) => `${kind.kind}: ${field.replace('spec.versions[0].', '')}: ${message}`);
}

/** The row of the table a kind is served by. */
export function kindRegistration(definition: ApiServerDefinition, kind: ApiKind, registry: ResourceRegistry, lookup: SchemaLookup, env: KindEnv): Registration {
  const crd = crdOf(definition, kind);
  const [version] = crd.spec.versions as [CrdVersion];
  const made = customRegistration(crd, version, lookup, ruleCheckOf);
  const base = made.definition;
  const strategy = strategyOf(kind, base.strategy);
  const row: ResourceDefinition = {
    ...base,
    strategy,
    verbs: verbsOf(kind),
    columns: kindColumns(kind, version),
    subresources: [...base.subresources, ...(kind.actions ?? []).map((action) => actionSubresource(definition, kind, action))],
  };
  const message = kind.protobuf && { message: kind.protobuf };
  if (!kind.handlers) return { ...made, ...message, definition: row };
  const of = { apiVersion: `${row.group}/${row.version}`, kind: row.kind, resource: row.resource, group: row.group, namespaced: row.namespaced };
  const storage = new HandledStorage(registry.feed, of, kind.handlers);
  const { storageVersion: _version, fromStorage: _from, toStorage: _to, ...plain } = row;
  return { ...made, ...message, definition: plain, elsewhere: { storage, source: new HandledSource(storage, env) } };
}

function strategyOf(kind: ApiKind, base: ResourceStrategy): ResourceStrategy {
  const { prepareForCreate, prepareForUpdate, validate, validateUpdate } = base;
  const checks = (object: KubeObject, old: KubeObject | undefined): FieldError[] => kind.validate?.(object, old) ?? [];
  return {
    ...base,
    // Handlers need not have versions of their own.
    ...(kind.handlers ? { allowUnconditionalUpdate: true } : {}),
    prepareForCreate(object, context) {
      prepareForCreate?.(object, context);
      kind.prepare?.(object, undefined);
    },
    prepareForUpdate(object, old, context) {
      prepareForUpdate?.(object, old, context);
      kind.prepare?.(object, old);
    },
    validate: (object) => [...(validate?.(object) ?? []), ...checks(object, undefined)],
    validateUpdate: (object, old) => [...(validateUpdate?.(object, old) ?? []), ...checks(object, old)],
  };
}

function verbsOf({ handlers }: ApiKind): Verb[] {
  if (!handlers) return ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
  const { list, watch, create, update, delete: remove } = handlers;
  return [
    ...(create ? (['create'] as const) : []),
    ...(remove ? (['delete'] as const) : []),
    ...(remove && list ? (['deletecollection'] as const) : []),
    'get',
    ...(list ? (['list'] as const) : []),
    ...(update ? (['patch', 'update'] as const) : []),
    ...(watch ? (['watch'] as const) : []),
  ];
}

function actionSubresource({ group, version }: ApiServerDefinition, kind: ApiKind, action: NonNullable<ApiKind['actions']>[number]): Subresource {
  return { type: 'action', name: action.name, verbs: [], http: action.methods, kind: { group, version, kind: action.kind ?? kind.kind } };
}

/** Columns in the order declared, whichever way each is worked out. */
function kindColumns(kind: ApiKind, version: CrdVersion): readonly PrinterColumn[] {
  const byPath = columnsOf(version);
  const [name, ...made] = byPath;
  if (!kind.columns?.length) return byPath;
  return [name as PrinterColumn, ...kind.columns.map((column) => ('jsonPath' in column ? (made.shift() as PrinterColumn) : computed(column)))].map(
    (column, i) => (i === 0 ? column : { ...column, priority: kind.columns?.[i - 1]?.priority ?? 0, description: kind.columns?.[i - 1]?.description ?? '' }),
  );
}

function computed(column: Extract<ApiColumn, { cell: unknown }>): PrinterColumn {
  const { name, type, format } = column;
  return { name, type, ...(format ? { format } : {}), priority: 0, cell: (object, now) => column.cell(object, now) };
}
