import type { CustomResourceColumnDefinition, FieldError } from '@coxswain/api';
import { fieldErrors, names, validateObjectMeta } from '@coxswain/api';
import { deepEqual } from '@coxswain/apimachinery';
import { validateApproval } from './api-approval.js';
import { isTrue } from './conditions.js';
import type { Crd, CrdVersion, JsonSchema } from './json-schema.js';
import { schemaAt, validateSchema } from './validate-schema.js';

const { duplicate, forbidden, invalid, notSupported, required, tooMany } = fieldErrors;
const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];
const MAX_SELECTABLE = 8;

/** Everything a CRD must be; with `old`, also what may not change, and what was accepted before stays accepted. */
export function validateCrd(crd: Crd, old?: Crd): FieldError[] {
  const { spec, status } = crd;
  const errors: FieldError[] = [];
  const wanted = `${spec.names?.plural ?? ''}.${spec.group ?? ''}`;
  if (old === undefined) {
    errors.push(...validateObjectMeta(crd, { namespaced: false }));
    if (crd.metadata.name !== wanted) errors.push(invalid('metadata.name', crd.metadata.name, 'must be spec.names.plural+"."+spec.group'));
  }
  errors.push(...validateSpec(crd, old));
  errors.push(...validateNames(status?.acceptedNames ?? { plural: '', kind: '' }, 'status.acceptedNames', false));
  errors.push(...storedVersions(status?.storedVersions ?? [], spec.versions ?? []));
  errors.push(...validateApproval(crd, old));
  if (spec.preserveUnknownFields === true && old?.spec.preserveUnknownFields !== true)
    errors.push(
      invalid('spec.preserveUnknownFields', true, 'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead'),
    );
  if (!old) return errors;
  if (isTrue(old, 'Established')) {
    if (spec.scope !== old.spec.scope) errors.push(invalid('spec.scope', spec.scope, 'field is immutable'));
    if (spec.names.kind !== old.spec.names.kind) errors.push(invalid('spec.names.kind', spec.names.kind, 'field is immutable'));
  }
  if (spec.group !== old.spec.group) errors.push(invalid('spec.group', spec.group, 'field is immutable'));
  if (spec.names.plural !== old.spec.names.plural) errors.push(invalid('spec.names.plural', spec.names.plural, 'field is immutable'));
  return errors;
}

function validateSpec({ spec }: Crd, old: Crd | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const { group, scope, versions = [], conversion } = spec;
  if (!group) errors.push(required('spec.group'));
  else {
    const problems = names.isDNS1123Subdomain(group);
    if (problems.length > 0) errors.push(invalid('spec.group', group, problems.join(',')));
    else if (!group.includes('.')) errors.push(invalid('spec.group', group, 'should be a domain with at least one dot'));
  }
  if (!scope) errors.push(required('spec.scope'));
  else if (scope !== 'Cluster' && scope !== 'Namespaced') errors.push(notSupported('spec.scope', scope, ['Cluster', 'Namespaced']));
  versions.forEach((version, i) =>
    errors.push(
      ...validateVersion(
        version,
        `spec.versions[${i}]`,
        old?.spec.versions.find(({ name }) => name === version.name),
      ),
    ),
  );
  if (new Set(versions.map(({ name }) => name)).size < versions.length) errors.push(invalid('spec.versions', versions, 'must contain unique version names'));
  if (versions.filter(({ storage }) => storage).length !== 1)
    errors.push(invalid('spec.versions', versions, 'must have exactly one version marked as storage version'));
  errors.push(...validateNames(spec.names ?? { plural: '', kind: '' }, 'spec.names', true));
  if (conversion) errors.push(...validateConversion(conversion));
  return errors;
}

function validateVersion(version: CrdVersion, path: string, old: CrdVersion | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const problems = names.isDNS1035Label(version.name ?? '');
  if (problems.length > 0) errors.push(invalid(`${path}.name`, version.name, problems.join(',')));
  if (version.deprecationWarning !== undefined) errors.push(...deprecationWarning(version, path));
  const schema = version.schema?.openAPIV3Schema as JsonSchema | undefined;
  if (!schema) errors.push(required(`${path}.schema.openAPIV3Schema`));
  else
    errors.push(
      ...validateSchema(schema, `${path}.schema.openAPIV3Schema`, {
        hasStatus: version.subresources?.status !== undefined,
        unchanged: old !== undefined && deepEqual(old.schema, version.schema),
      }),
    );
  const scale = version.subresources?.scale;
  if (scale) {
    errors.push(...scalePath(scale.specReplicasPath, ['.spec.'], 'should be a json path under .spec', `${path}.subresources.scale.specReplicasPath`));
    errors.push(...scalePath(scale.statusReplicasPath, ['.status.'], 'should be a json path under .status', `${path}.subresources.scale.statusReplicasPath`));
    if (scale.labelSelectorPath)
      errors.push(
        ...scalePath(
          scale.labelSelectorPath,
          ['.spec.', '.status.'],
          'should be a json path under either .spec or .status',
          `${path}.subresources.scale.labelSelectorPath`,
        ),
      );
  }
  version.additionalPrinterColumns?.forEach((column, i) => errors.push(...validateColumn(column, `${path}.additionalPrinterColumns[${i}]`)));
  if (schema) errors.push(...selectableFields(version, schema, `${path}.selectableFields`));
  return errors;
}

function deprecationWarning({ deprecated, deprecationWarning: text = '' }: CrdVersion, path: string): FieldError[] {
  const field = `${path}.deprecationWarning`;
  if (!deprecated) return [invalid(field, text, 'can only be set for deprecated versions')];
  const errors: FieldError[] = [];
  if (text.length > 256) errors.push(invalid(field, text, 'must be <= 256 characters long'));
  if (text === '') errors.push(invalid(field, text, 'must not be an empty string'));
  const odd = text.search(/\p{C}/u);
  if (odd >= 0) errors.push(invalid(field, text, `must only contain printable UTF-8 characters; non-printable character found at index ${odd}`));
  return errors;
}

function scalePath(text: string | undefined, prefixes: readonly string[], rule: string, field: string): FieldError[] {
  if (!text) return [required(field)];
  if (!text.startsWith('.')) return [invalid(field, text, 'must be a simple json path starting with .')];
  return prefixes.some((prefix) => text.startsWith(prefix)) ? [] : [invalid(field, text, rule)];
}

function validateColumn({ name, type, format, jsonPath }: CustomResourceColumnDefinition, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (!name) errors.push(required(`${path}.name`));
  if (!type) errors.push(required(`${path}.type`, `must be one of ${COLUMN_TYPES.join(',')}`));
  else if (!COLUMN_TYPES.includes(type)) errors.push(invalid(`${path}.type`, type, `must be one of ${COLUMN_TYPES.join(',')}`));
  if (format && !COLUMN_FORMATS.includes(format)) errors.push(invalid(`${path}.format`, format, `must be one of ${COLUMN_FORMATS.join(',')}`));
  if (!jsonPath) errors.push(required(`${path}.JSONPath`));
  else if (!jsonPath.startsWith('.')) errors.push(invalid(`${path}.JSONPath`, jsonPath, 'must be a simple json path starting with .'));
  return errors;
}

function selectableFields({ selectableFields: fields = [] }: CrdVersion, schema: JsonSchema, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  fields.forEach(({ jsonPath }, i) => {
    const field = `${path}[${i}].jsonPath`;
    if (!jsonPath) {
      errors.push(required(field));
      return;
    }
    const found = jsonPath.includes('[') && !jsonPath.includes("['") ? undefined : jsonPath.startsWith('.metadata') ? schema : schemaAt(schema, jsonPath);
    if (!found) {
      errors.push(invalid(field, jsonPath, `is an invalid path: does not refer to a valid field`));
      return;
    }
    if (jsonPath.startsWith('.metadata')) errors.push(invalid(field, jsonPath, 'must not point to fields in metadata'));
    if (!['string', 'boolean', 'integer'].includes(found.type ?? ''))
      errors.push(
        invalid(field, jsonPath, 'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.'),
      );
    if (seen.has(jsonPath)) errors.push(duplicate(field, jsonPath));
    seen.add(jsonPath);
  });
  if (seen.size > MAX_SELECTABLE) errors.push(tooMany(path, seen.size, MAX_SELECTABLE));
  return errors;
}

type Names = Crd['spec']['names'];

function validateNames(given: Names, path: string, all: boolean): FieldError[] {
  const errors: FieldError[] = [];
  for (const key of ['plural', 'singular', 'kind', 'listKind'] as const) {
    const value = given[key] ?? '';
    if (value === '') {
      if (all) errors.push(required(`${path}.${key}`));
      continue;
    }
    const mixed = key === 'kind' || key === 'listKind';
    const problems = names.isDNS1035Label(mixed ? value.toLowerCase() : value);
    if (problems.length > 0)
      errors.push(invalid(`${path}.${key}`, value, `${mixed ? 'may have mixed case, but should otherwise match: ' : ''}${problems.join(',')}`));
  }
  given.shortNames?.forEach((name, i) => label(name, `${path}.shortNames[${i}]`, errors));
  if (given.kind && given.kind === given.listKind) errors.push(invalid(`${path}.listKind`, given.listKind, 'kind and listKind may not be the same'));
  given.categories?.forEach((name, i) => label(name, `${path}.categories[${i}]`, errors));
  return errors;
}

function label(value: string, field: string, errors: FieldError[]): void {
  const problems = names.isDNS1035Label(value);
  if (problems.length > 0) errors.push(invalid(field, value, problems.join(',')));
}

function storedVersions(stored: readonly string[], versions: readonly CrdVersion[]): FieldError[] {
  const field = 'status.storedVersions';
  if (stored.length === 0) return [invalid(field, stored, 'must have at least one stored version')];
  const errors: FieldError[] = [];
  for (const { name, storage } of versions) if (storage && !stored.includes(name)) errors.push(invalid(field, stored, `must have the storage version ${name}`));
  stored.forEach((name, i) => {
    if (versions.some((version) => version.name === name)) return;
    errors.push(
      invalid(
        `${field}[${i}]`,
        name,
        `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`,
      ),
    );
  });
  return errors;
}

function validateConversion({ strategy, webhook }: NonNullable<Crd['spec']['conversion']>): FieldError[] {
  const path = 'spec.conversion';
  if (!strategy) return [required(`${path}.strategy`)];
  if (strategy !== 'None' && strategy !== 'Webhook') return [notSupported(`${path}.strategy`, strategy, ['None', 'Webhook'])];
  if (strategy === 'None') return webhook ? [forbidden(`${path}.webhook`, 'should not be set when strategy is not set to Webhook')] : [];
  const errors: FieldError[] = [];
  const client = webhook?.clientConfig;
  if (!client) errors.push(required(`${path}.webhookClientConfig`, 'required when strategy is set to Webhook'));
  else if ((client.url === undefined) === (client.service === undefined))
    errors.push(required(`${path}.webhookClientConfig`, 'exactly one of url or service is required'));
  else if (client.url !== undefined && !client.url.startsWith('https://'))
    errors.push(invalid(`${path}.webhookClientConfig.url`, client.url, "'https' is the only allowed URL scheme"));
  const versions = webhook?.conversionReviewVersions ?? [];
  if (versions.length === 0) errors.push(required(`${path}.conversionReviewVersions`));
  else if (!versions.includes('v1') && !versions.includes('v1beta1'))
    errors.push(invalid(`${path}.conversionReviewVersions`, versions, 'must include at least one of v1, v1beta1'));
  return errors;
}
