import type { GroupVersionKind, PrinterColumn, ResourceDefinition, ResourceStrategy, Subresource, Verb } from '../definition.js';
import { zeroOf } from '../decode/zero-of.js';
import { gatedFieldsOf } from '../gates/gated-fields.js';
import { ageColumn, nameColumn } from '../printing/column.js';
import { partStrategyOf, type StatusStrategy, type StrategyParts, statusStrategyOf, strategyOf } from '../strategies/lifecycle.js';

export const ALL_VERBS: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** A row of the table as a group's file writes it; what is left out follows upstream's conventions. */
export interface Row {
  readonly kind: string;
  readonly resource: string;
  /** Default: the kind in lower case. */
  readonly singular?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  /** Default true. */
  readonly namespaced?: boolean;
  /** Default: all eight. */
  readonly verbs?: readonly Verb[];
  readonly strategy?: StrategyParts;
  /** With this the row has a status subresource, which runs these rules besides the common ones. */
  readonly status?: StatusStrategy;
  readonly subresources?: readonly Subresource[];
  /** Default: name and age. */
  readonly columns?: readonly PrinterColumn[];
  readonly selectableFields?: ResourceDefinition['selectableFields'];
  /** Default: `/registry/<resource>`. */
  readonly storagePrefix?: string;
  readonly storageVersion?: GroupVersionKind;
  readonly toStorage?: ResourceDefinition['toStorage'];
  readonly fromStorage?: ResourceDefinition['fromStorage'];
  readonly virtual?: string;
  readonly deprecated?: string;
}

/** Makes the definitions of one group and version; `schemaPackage` is the prefix of its OpenAPI names. */
export function defineGroup(group: string, version: string, schemaPackage: string, rows: readonly Row[]): ResourceDefinition[] {
  return rows.map((row) => {
    const namespaced = row.namespaced ?? true;
    const { status, strategy = {}, subresources = [] } = row;
    const schema = `${schemaPackage}.${row.kind}`;
    const hasStatus = status !== undefined || strategy.hasStatus === true;
    const gatedFields = gatedFieldsOf(group, row.kind);
    const parts: StrategyParts = { ...strategy, hasStatus, emptyStatus: () => zeroOf(schema, 'status'), gatedFields };
    const others = subresources.map((each) => (each.type === 'part' ? { ...each, strategy: partStrategyOf(each.strategy, gatedFields) } : each));
    const base: ResourceDefinition = {
      group,
      version,
      kind: row.kind,
      listKind: `${row.kind}List`,
      resource: row.resource,
      singular: row.singular ?? row.kind.toLowerCase(),
      shortNames: row.shortNames ?? [],
      categories: row.categories ?? [],
      namespaced,
      schema,
      verbs: row.verbs ?? ALL_VERBS,
      strategy: strategyOf(namespaced, parts, row.virtual !== undefined),
      subresources: status
        ? [{ type: 'status', strategy: statusStrategyOf(namespaced, { ...nameRule(strategy), ...status }, gatedFields) }, ...others]
        : others,
      columns: row.columns ?? [nameColumn, ageColumn],
      selectableFields: row.selectableFields ?? {},
      storagePrefix: row.storagePrefix ?? `/registry/${row.resource}`,
    };
    return {
      ...base,
      ...(row.storageVersion && { storageVersion: row.storageVersion }),
      ...(row.toStorage && { toStorage: row.toStorage }),
      ...(row.fromStorage && { fromStorage: row.fromStorage }),
      ...(row.virtual && { virtual: row.virtual }),
      ...(row.deprecated && { deprecated: row.deprecated }),
    };
  });
}

const nameRule = ({ validateName }: StrategyParts): ResourceStrategy => (validateName ? { validateName } : {});

/** The scale subresource of the usual shape. */
export const scaleSubresource: Subresource = {
  type: 'scale',
  specReplicasPath: 'spec.replicas',
  statusReplicasPath: 'status.replicas',
  labelSelectorPath: 'spec.selector',
};

/** Field selectors by path: the text of the value, '' when absent. */
export function selectable(...paths: string[]): ResourceDefinition['selectableFields'] {
  return Object.fromEntries(
    paths.map((path) => {
      const keys = path.split('.');
      return [
        path,
        (object) => {
          let value: unknown = object;
          for (const key of keys) value = (value as Record<string, unknown> | undefined)?.[key];
          return value === undefined || value === null ? '' : String(value);
        },
      ];
    }),
  );
}
