import type { FieldError } from '../field-error.js';
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '../generated/types.js';
import { deepEqual } from '../util/deep-equal.js';
import { each, optionalText, requiredEnum, requiredText, unique } from './common.js';
import { invalid, invalids, required } from './errors.js';
import { validateJSONSchema } from './json-schema.js';
import { isDNS1035Label, isDNS1123Subdomain } from './names.js';
import { immutable } from './object-meta.js';
import { validateWebhookClient } from './webhook-client.js';

export function validateCustomResourceDefinition({ metadata, spec }: CustomResourceDefinition): FieldError[] {
  if (!spec) return [required('spec')];
  const errors: FieldError[] = [];
  const name = `${spec.names?.plural}.${spec.group}`;
  if (metadata.name !== name) errors.push(invalid('metadata.name', metadata.name, `must be spec.names.plural+"."+spec.group`));
  errors.push(...requiredText(spec.group, 'spec.group', isDNS1123Subdomain));
  if (spec.group && !spec.group.includes('.')) errors.push(invalid('spec.group', spec.group, 'should be a domain with at least one dot'));
  errors.push(...requiredEnum(spec.scope, 'spec.scope', ['Cluster', 'Namespaced']));
  return [
    ...errors,
    ...validateNames(spec.names),
    ...validateVersions(spec.versions ?? []),
    ...validateConversion(spec),
    ...validateApproval(metadata, spec.group),
  ];
}

type Spec = CustomResourceDefinition['spec'];

function validateNames(names: Spec['names'] | undefined): FieldError[] {
  const path = 'spec.names';
  const errors = [
    ...requiredText(names?.plural, `${path}.plural`, isDNS1035Label),
    ...optionalText(names?.singular, `${path}.singular`, isDNS1035Label),
    ...requiredText(names?.kind?.toLowerCase(), `${path}.kind`, isDNS1035Label),
    ...optionalText(names?.listKind?.toLowerCase(), `${path}.listKind`, isDNS1035Label),
    ...each(names?.shortNames, `${path}.shortNames`, (name, at) => invalids(at, name, isDNS1035Label(name))),
    ...each(names?.categories, `${path}.categories`, (name, at) => invalids(at, name, isDNS1035Label(name))),
  ];
  if (names?.kind && names.kind === names.listKind) errors.push(invalid(`${path}.listKind`, names.listKind, 'kind and listKind may not be the same'));
  return errors;
}

function validateVersions(versions: readonly CustomResourceDefinitionVersion[]): FieldError[] {
  if (versions.length === 0) return [required('spec.versions', 'must have at least one version')];
  const errors = unique(
    versions,
    ({ name }) => name,
    (index) => `spec.versions[${index}].name`,
  );
  if (versions.filter(({ storage }) => storage).length !== 1) {
    errors.push(
      invalid(
        'spec.versions',
        versions.map(({ name }) => name),
        'must have exactly one version marked as storage version',
      ),
    );
  }
  return [
    ...errors,
    ...each(versions, 'spec.versions', (version, path) => [
      ...requiredText(version.name, `${path}.name`, isDNS1035Label),
      ...(version.schema?.openAPIV3Schema
        ? validateJSONSchema(version.schema.openAPIV3Schema, `${path}.schema.openAPIV3Schema`)
        : [required(`${path}.schema.openAPIV3Schema`, 'schemas are required')]),
      ...validateSubresources(version, path),
      ...each(version.additionalPrinterColumns, `${path}.additionalPrinterColumns`, ({ name, type, jsonPath, format }, at) => [
        ...requiredText(name, `${at}.name`),
        ...requiredEnum(type, `${at}.type`, ['boolean', 'date', 'integer', 'number', 'string']),
        ...(format ? requiredEnum(format, `${at}.format`, ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password', 'binary']) : []),
        ...validateJsonPath(jsonPath, `${at}.jsonPath`),
      ]),
      ...((version.selectableFields ?? []).length > 8
        ? [invalid(`${path}.selectableFields`, version.selectableFields?.length, 'must have at most 8 items')]
        : each(version.selectableFields, `${path}.selectableFields`, ({ jsonPath }, at) => validateJsonPath(jsonPath, `${at}.jsonPath`))),
    ]),
  ];
}

function validateSubresources({ subresources }: CustomResourceDefinitionVersion, field: string): FieldError[] {
  const scale = subresources?.scale;
  if (!scale) return [];
  const path = `${field}.subresources.scale`;
  const under = (value: string | undefined, key: string, ...prefixes: string[]): FieldError[] => {
    if (!value) return [required(`${path}.${key}`)];
    if (!prefixes.some((prefix) => value.startsWith(prefix))) {
      return [invalid(`${path}.${key}`, value, `should be a json path under ${prefixes.map((prefix) => prefix.slice(0, -1)).join(' or ')}`)];
    }
    return validateJsonPath(value, `${path}.${key}`);
  };
  return [
    ...under(scale.specReplicasPath, 'specReplicasPath', '.spec.'),
    ...under(scale.statusReplicasPath, 'statusReplicasPath', '.status.'),
    ...(scale.labelSelectorPath ? under(scale.labelSelectorPath, 'labelSelectorPath', '.spec.', '.status.') : []),
  ];
}

function validateJsonPath(path: string | undefined, field: string): FieldError[] {
  if (!path) return [required(field)];
  return path.startsWith('.') ? [] : [invalid(field, path, 'must be a simple json path starting with a dot')];
}

function validateConversion({ conversion, versions = [], preserveUnknownFields }: Spec): FieldError[] {
  const errors = requiredEnum(conversion?.strategy, 'spec.conversion.strategy', ['None', 'Webhook']);
  if (preserveUnknownFields) errors.push(invalid('spec.preserveUnknownFields', true, 'must be false in order to use defaults in the schema'));
  const webhook = conversion?.webhook;
  if (conversion?.strategy !== 'Webhook') {
    return webhook ? [...errors, invalid('spec.conversion.webhook', null, 'should not be set when strategy is not set to Webhook')] : errors;
  }
  if (!webhook?.clientConfig) return [...errors, required('spec.conversion.webhook.clientConfig', 'required when strategy is set to Webhook')];
  const supported = webhook.conversionReviewVersions ?? [];
  if (!supported.some((version) => version === 'v1' || version === 'v1beta1')) {
    errors.push(invalid('spec.conversion.webhook.conversionReviewVersions', supported, 'must include at least one of v1, v1beta1'));
  }
  return versions.length === 0 ? errors : [...errors, ...validateWebhookClient(webhook.clientConfig, 'spec.conversion.webhook.clientConfig')];
}

/** Groups of the project itself are protected by an annotation. */
function validateApproval({ annotations }: CustomResourceDefinition['metadata'], group: string): FieldError[] {
  const ours = ['k8s.io', 'kubernetes.io'].some((domain) => group === domain || group.endsWith(`.${domain}`));
  const key = 'api-approved.kubernetes.io';
  if (!ours) return [];
  const value = annotations?.[key];
  const field = `metadata.annotations[${key}]`;
  if (!value)
    return [
      required(field, 'protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111'),
    ];
  if (value.startsWith('unapproved') || URL.canParse(value)) return [];
  return [
    invalid(
      field,
      value,
      'protected groups must have approval annotation "api-approved.kubernetes.io" with either a URL or a reason starting with "unapproved"',
    ),
  ];
}

/** Once established, what clients rely on stays. */
export function validateCustomResourceDefinitionUpdate({ spec, status }: CustomResourceDefinition, old: CustomResourceDefinition): FieldError[] {
  const errors: FieldError[] = [];
  const established = (old.status?.conditions ?? []).some((each) => each.type === 'Established' && each.status === 'True');
  if (established) {
    errors.push(...immutable(spec.scope, old.spec.scope, 'spec.scope'), ...immutable(spec.names.kind, old.spec.names.kind, 'spec.names.kind'));
  }
  errors.push(...immutable(spec.group, old.spec.group, 'spec.group'), ...immutable(spec.names.plural, old.spec.names.plural, 'spec.names.plural'));
  const served = new Set((spec.versions ?? []).map(({ name }) => name));
  for (const [index, name] of (status?.storedVersions ?? []).entries()) {
    if (!served.has(name))
      errors.push(
        invalid(
          `status.storedVersions[${index}]`,
          name,
          `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`,
        ),
      );
  }
  return errors;
}

/** The storage version cannot be taken off the list of those in use. */
export function validateCustomResourceDefinitionStatusUpdate({ spec, status }: CustomResourceDefinition, old: CustomResourceDefinition): FieldError[] {
  const stored = status?.storedVersions ?? [];
  if (deepEqual(stored, old.status?.storedVersions)) return [];
  const storage = (spec.versions ?? []).find((version) => version.storage)?.name ?? '';
  return stored.includes(storage) ? [] : [invalid('status.storedVersions', stored, `must have the storage version ${storage}`)];
}
