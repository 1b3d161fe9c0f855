import { createHash } from 'node:crypto';
import type { KubeObject, ResourceDefinition, SchemaLookup, Subresource, Verb } from '@coxswain/api';
import { cloneJson } from '@coxswain/apimachinery';
import type { Registration } from '../registry/resource-registry.js';
import type { VersionConverter } from '../registry/version-converter.js';
import { columnsOf } from './columns.js';
import { customShape } from './custom-shape.js';
import { customStatusStrategy, customStrategy } from './custom-strategy.js';
import type { CustomRules, RuleCheck } from './custom-strategy.js';
import { applyDefaults, hasDefaults } from './defaults.js';
import { compileJsonPath } from './json-path.js';
import { schemaOf } from './json-schema.js';
import type { Crd, CrdVersion, JsonSchema } from './json-schema.js';
import { prune } from './prune.js';
import { publishSchema } from './publish-schema.js';
import { toTypeSchema } from './to-type-schema.js';

const VERBS: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** What a version of a CRD is served by. `compileRules` makes the CEL rules of its schema. */
export function customRegistration(
  crd: Crd,
  version: CrdVersion,
  lookup: SchemaLookup,
  compileRules: (schema: JsonSchema) => RuleCheck | undefined,
  converterFor?: (crd: Crd, apiVersion: string) => VersionConverter,
): Registration {
  const schema = schemaOf(version);
  const { group, scope, versions } = crd.spec;
  const names = crd.status?.acceptedNames ?? crd.spec.names;
  const kind = names.kind;
  const namespaced = scope === 'Namespaced';
  const preserveAll = crd.spec.preserveUnknownFields === true;
  const hasStatus = version.subresources?.status !== undefined;
  const rules: CustomRules = { schema, namespaced, hasStatus, rules: compileRules(schema) };
  const storage = versions.find((each) => each.storage) as CrdVersion;
  const terminating = crd.metadata.deletionTimestamp !== undefined;
  const deprecation = version.deprecated ? (version.deprecationWarning ?? `${group}/${version.name} ${kind} is deprecated`) : undefined;
  const definition: ResourceDefinition = {
    group,
    version: version.name,
    kind,
    listKind: names.listKind ?? `${kind}List`,
    resource: names.plural,
    singular: names.singular ?? kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced,
    schema: schemaName(group, version.name, kind),
    verbs: terminating ? VERBS.filter((verb) => verb !== 'create') : VERBS,
    strategy: customStrategy(rules),
    ...(deprecation === undefined ? {} : { deprecated: deprecation }),
    subresources: subresourcesOf(version, rules),
    columns: columnsOf(version),
    selectableFields: selectableFieldsOf(version),
    storagePrefix: `/registry/${group}/${names.plural}`,
    storageVersion: { group, version: storage.name, kind },
    ...(needsReading(crd, schema) ? { fromStorage: (object: KubeObject) => read(object, schema, preserveAll) } : {}),
  };
  const gvk = { group, version: version.name, kind };
  const converter = crd.spec.conversion?.strategy === 'Webhook' ? converterFor?.(crd, `${group}/${version.name}`) : undefined;
  return {
    definition,
    lookup,
    ...(converter ? { converter } : {}),
    schema: toTypeSchema(schema),
    shape: customShape(schema, preserveAll, lookup),
    openApi: {
      hash: createHash('sha256').update(JSON.stringify(schema)).digest('hex'),
      schema: (dialect) => publishSchema(schema, gvk, dialect, preserveAll),
    },
  };
}

/** `stable.example.com`, v1, CronTab → `com.example.stable.v1.CronTab`. */
export function schemaName(group: string, version: string, kind: string): string {
  return `${group.split('.').reverse().join('.')}.${version}.${kind}`;
}

/** What is stored is not always what this version would have stored: another version wrote it, or the schema has changed. */
function needsReading(crd: Crd, schema: JsonSchema): boolean {
  return crd.spec.versions.length > 1 || (crd.status?.storedVersions?.length ?? 1) > 1 || hasDefaults(schema);
}

function read(stored: KubeObject, schema: JsonSchema, preserveAll: boolean): KubeObject {
  const object = cloneJson(stored);
  if (!preserveAll) prune(object, schema, []);
  applyDefaults(object, schema);
  return object;
}

function subresourcesOf({ subresources }: CrdVersion, rules: CustomRules): Subresource[] {
  const out: Subresource[] = [];
  if (subresources?.status !== undefined) out.push({ type: 'status', strategy: customStatusStrategy(rules) });
  const scale = subresources?.scale;
  if (scale) {
    out.push({
      type: 'scale',
      specReplicasPath: withoutDot(scale.specReplicasPath),
      statusReplicasPath: withoutDot(scale.statusReplicasPath),
      ...(scale.labelSelectorPath ? { labelSelectorPath: withoutDot(scale.labelSelectorPath) } : {}),
    });
  }
  return out;
}

const withoutDot = (path: string): string => path.replace(/^\./, '');

function selectableFieldsOf({ selectableFields }: CrdVersion): ResourceDefinition['selectableFields'] {
  const entries = (selectableFields ?? []).map(({ jsonPath }): [string, (object: KubeObject) => string] => {
    const path = compileJsonPath(jsonPath);
    return [withoutDot(jsonPath), (object) => String(path?.(object)[0] ?? '')];
  });
  return Object.fromEntries(entries);
}
