import type { FieldError } from '@coxswain/api';
import { fieldErrors } from '@coxswain/api';
import { anySchema, itemsOf, valuesOf } from './json-schema.js';
import type { JsonSchema } from './json-schema.js';
import { checkRules } from './rules/check-rules.js';
import { validateStructural } from './structural.js';
import { validateDefaults } from './validate-defaults.js';

const { forbidden, invalid, notSupported, required } = fieldErrors;
const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const REASONS = ['FieldValueDuplicate', 'FieldValueForbidden', 'FieldValueInvalid', 'FieldValueRequired'];
const META_FIELDS = new Set(['metadata', 'kind', 'apiVersion']);
/** What JSON schema knows and CRDs may not use. */
const UNSUPPORTED = ['id', 'additionalItems', 'patternProperties', 'definitions', 'dependencies', '$ref'] as const;
const ROOT_WITH_STATUS = new Set([
  'description',
  'type',
  'format',
  'title',
  'maximum',
  'exclusiveMaximum',
  'minimum',
  'exclusiveMinimum',
  'maxLength',
  'minLength',
  'pattern',
  'maxItems',
  'minItems',
  'uniqueItems',
  'multipleOf',
  'required',
  'items',
  'properties',
  'externalDocs',
  'example',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-validations',
]);
const ROOT_NAMES =
  '[Description Type Format Title Maximum ExclusiveMaximum Minimum ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems UniqueItems MultipleOf Required Items Properties ExternalDocs Example XPreserveUnknownFields XValidations]';

export interface SchemaRules {
  readonly hasStatus: boolean;
  /** Was accepted before as it is: new limits are not held against it. */
  readonly unchanged: boolean;
}

/** `openAPIV3Schema` of a CRD version. */
export function validateSchema(schema: JsonSchema, path: string, { hasStatus, unchanged }: SchemaRules): FieldError[] {
  const errors: FieldError[] = [];
  if (hasStatus) {
    const odd = Object.keys(schema).find((key) => !ROOT_WITH_STATUS.has(key) && (schema as Record<string, unknown>)[key] !== undefined);
    if (schema.type !== undefined && schema.type !== 'object')
      errors.push(invalid(`${path}.type`, schema.type, 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'));
    else if (odd) errors.push(invalid(path, schema, `only ${ROOT_NAMES} fields are allowed at the root of the schema if the status subresource is enabled`));
  }
  if (schema.nullable) errors.push(forbidden(`${path}.nullable`, 'nullable cannot be true at the root'));
  const structural = validateStructural(schema, path);
  errors.push(...structural);
  if (structural.length === 0) errors.push(...validateDefaults(schema, path));
  const own: FieldError[] = [];
  walk(schema, path, { root: true, inMeta: false }, own);
  errors.push(...own);
  const hasRules = anySchema(schema, (each) => (each['x-kubernetes-validations']?.length ?? 0) > 0);
  if (errors.length === 0 && hasRules && !unchanged) errors.push(...checkRules(schema, path));
  return errors;
}

interface Place {
  readonly root: boolean;
  /** In metadata, kind or apiVersion of a resource. */
  readonly inMeta: boolean;
  /** Why there may be no defaults here. */
  readonly noDefaults?: string;
}

function walk(s: JsonSchema, path: string, place: Place, errors: FieldError[]): void {
  const inside: Place = { root: false, inMeta: place.inMeta, ...(place.noDefaults ? { noDefaults: place.noDefaults } : {}) };
  if (s.type === 'null') errors.push(forbidden(`${path}.type`, 'type cannot be set to null, use nullable as an alternative'));
  if (s.type && !TYPES.includes(s.type)) errors.push(notSupported(`${path}.type`, s.type, TYPES));
  if (s.default !== undefined && place.noDefaults) errors.push(forbidden(`${path}.default`, `must not be set ${place.noDefaults}`));
  for (const key of UNSUPPORTED) if ((s as Record<string, unknown>)[key] !== undefined) errors.push(forbidden(`${path}.${key}`, `${key} is not supported`));
  if (Array.isArray(s.items)) errors.push(forbidden(`${path}.items`, 'items must be a schema object and not an array'));
  if (place.inMeta && s['x-kubernetes-embedded-resource'])
    errors.push(forbidden(`${path}.x-kubernetes-embedded-resource`, 'must not be used inside of resource meta'));
  if (s.uniqueItems) errors.push(forbidden(`${path}.uniqueItems`, 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'));
  const values = valuesOf(s);
  if (s.additionalProperties !== undefined && s.additionalProperties !== true && Object.keys(s.properties ?? {}).length > 0) {
    errors.push(forbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'));
  }
  if (values)
    walk(
      values,
      `${path}.additionalProperties`,
      place.inMeta ? { ...inside, noDefaults: 'inside additionalProperties applying to object metadata' } : inside,
      errors,
    );
  for (const [name, property] of Object.entries(s.properties ?? {})) {
    const meta = (place.root || s['x-kubernetes-embedded-resource'] === true) && META_FIELDS.has(name);
    walk(
      property,
      `${path}.properties[${name}]`,
      meta ? { ...inside, inMeta: true, ...(place.root ? { noDefaults: `in top-level ${name}` } : {}) } : inside,
      errors,
    );
  }
  const items = itemsOf(s);
  if (items) walk(items, `${path}.items`, inside, errors);
  for (const key of ['allOf', 'anyOf', 'oneOf'] as const) s[key]?.forEach((each, i) => walk(each, `${path}.${key}[${i}]`, inside, errors));
  if (s.not) walk(s.not, `${path}.not`, inside, errors);
  if (s['x-kubernetes-preserve-unknown-fields'] === false)
    errors.push(invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'));
  mapType(s, path, errors);
  listType(s, path, errors);
  rules(s, path, errors);
}

function mapType(s: JsonSchema, path: string, errors: FieldError[]): void {
  const mapType = s['x-kubernetes-map-type'];
  if (mapType === undefined) return;
  if (!s.type) errors.push(required(`${path}.type`, 'must be object if x-kubernetes-map-type is specified'));
  else if (s.type !== 'object') errors.push(invalid(`${path}.type`, s.type, 'must be object if x-kubernetes-map-type is specified'));
  if (mapType !== 'atomic' && mapType !== 'granular') errors.push(notSupported(`${path}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']));
}

function listType(s: JsonSchema, path: string, errors: FieldError[]): void {
  const type = s['x-kubernetes-list-type'];
  const keys = s['x-kubernetes-list-map-keys'] ?? [];
  const items = itemsOf(s);
  if (type !== undefined) {
    if (!s.type) errors.push(required(`${path}.type`, 'must be array if x-kubernetes-list-type is specified'));
    else if (s.type !== 'array') errors.push(invalid(`${path}.type`, s.type, 'must be array if x-kubernetes-list-type is specified'));
    else if (type === 'set' && items) {
      const itemList = items['x-kubernetes-list-type'];
      if (items.type === 'array' && itemList && itemList !== 'atomic')
        errors.push(invalid(`${path}.items.x-kubernetes-list-type`, itemList, 'must be atomic as item of a list with x-kubernetes-list-type=set'));
      if (items.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic')
        errors.push(
          invalid(`${path}.items.x-kubernetes-map-type`, items['x-kubernetes-map-type'], 'must be atomic as item of a list with x-kubernetes-list-type=set'),
        );
    }
    if (type !== 'atomic' && type !== 'set' && type !== 'map') errors.push(notSupported(`${path}.x-kubernetes-list-type`, type, ['atomic', 'set', 'map']));
  }
  if (keys.length > 0 && type === undefined) errors.push(required(`${path}.x-kubernetes-list-type`, 'must be map if x-kubernetes-list-map-keys is non-empty'));
  else if (keys.length > 0 && type !== 'map')
    errors.push(invalid(`${path}.x-kubernetes-list-type`, type, 'must be map if x-kubernetes-list-map-keys is non-empty'));
  if (type === 'map') mapKeys(s, keys, items, path, errors);
  if ((type === 'set' || type === 'map') && items?.nullable)
    errors.push(forbidden(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${type}`));
}

function mapKeys(s: JsonSchema, keys: readonly string[], items: JsonSchema | undefined, path: string, errors: FieldError[]): void {
  if (keys.length === 0) errors.push(required(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'));
  if (s.items === undefined) errors.push(required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map'));
  else if (!items) errors.push(invalid(`${path}.items`, s.items, 'must only have a single schema if x-kubernetes-list-type is map'));
  if (!items) return;
  if (items.type !== 'object') {
    errors.push(invalid(`${path}.items.type`, items.type ?? '', "must be object if parent array's x-kubernetes-list-type is map"));
    return;
  }
  const seen = new Set<string>();
  for (const key of keys) {
    const property = items.properties?.[key];
    if (!property) errors.push(invalid(`${path}.x-kubernetes-list-map-keys`, keys, 'entries must all be names of item properties'));
    else {
      if (property.type === 'array' || property.type === 'object')
        errors.push(invalid(`${path}.items.properties[${key}].type`, items.type, "must be a scalar type if parent array's x-kubernetes-list-type is map"));
      if (!items.required?.includes(key) && property.default === undefined)
        errors.push(
          required(
            `${path}.items.properties[${key}].default`,
            'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
          ),
        );
      if (property.nullable)
        errors.push(forbidden(`${path}.items.properties[${key}].nullable`, 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable'));
    }
    if (seen.has(key)) errors.push(invalid(`${path}.x-kubernetes-list-map-keys`, keys, 'must not contain duplicate entries'));
    seen.add(key);
  }
}

function rules(s: JsonSchema, path: string, errors: FieldError[]): void {
  (s['x-kubernetes-validations'] ?? []).forEach((rule, i) => {
    const at = `${path}.x-kubernetes-validations[${i}]`;
    const text = (rule.rule ?? '').trim();
    const message = (rule.message ?? '').trim();
    if (text === '') errors.push(required(`${at}.rule`, 'rule is not specified'));
    else if (rule.message && message === '') errors.push(invalid(`${at}.message`, rule.message, 'must be non-empty if specified'));
    else if (/[\r\n]/.test(message)) errors.push(invalid(`${at}.message`, rule.message, 'must not contain line breaks'));
    else if (/[\r\n]/.test(text) && message === '') errors.push(required(`${at}.message`, 'message must be specified if rule contains line breaks'));
    if (rule.messageExpression && rule.messageExpression.trim() === '')
      errors.push(required(`${at}.messageExpression`, 'messageExpression must be non-empty if specified'));
    if (rule.reason !== undefined && !REASONS.includes(rule.reason)) errors.push(notSupported(`${at}.reason`, rule.reason, REASONS));
    if (rule.fieldPath) {
      if (rule.fieldPath.trim() === '') errors.push(invalid(`${at}.fieldPath`, rule.fieldPath, 'must be non-empty if specified'));
      if (/[\r\n]/.test(rule.fieldPath)) errors.push(invalid(`${at}.fieldPath`, rule.fieldPath, 'must not contain line breaks'));
      if (!schemaAt(s, rule.fieldPath)) errors.push(invalid(`${at}.fieldPath`, rule.fieldPath, 'must be a valid path'));
    }
  });
}

/** The schema a path like `.spec.list[0]['odd-name']` leads to. */
export function schemaAt(schema: JsonSchema, path: string): JsonSchema | undefined {
  let current: JsonSchema | undefined = schema;
  let rest = path;
  while (rest !== '') {
    const step = /^(?:\.([A-Za-z_$][\w$]*)|\['((?:[^'\\]|\\.)*)'\]|\[(\d+)\])/.exec(rest);
    if (!step || !current) return undefined;
    rest = rest.slice(step[0].length);
    const name = step[1] ?? step[2]?.replace(/\\(.)/g, '$1');
    current =
      name === undefined ? itemsOf(current) : current.properties && Object.hasOwn(current.properties, name) ? current.properties[name] : valuesOf(current);
  }
  return current;
}
