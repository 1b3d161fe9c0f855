/** Types the schema tables treat as scalars, which have names of their own in OpenAPI. */
export const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';
export const TIME = `${META}.Time`;
export const MICRO_TIME = `${META}.MicroTime`;
export const FIELDS_V1 = `${META}.FieldsV1`;
export const PATCH = `${META}.Patch`;
export const QUANTITY = 'io.k8s.apimachinery.pkg.api.resource.Quantity';
export const INT_OR_STRING = 'io.k8s.apimachinery.pkg.util.intstr.IntOrString';
export const RAW_EXTENSION = 'io.k8s.apimachinery.pkg.runtime.RawExtension';
const EXTENSIONS = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1';
const JSON_TYPE = `${EXTENSIONS}.JSON`;

/** Fields of any JSON: which named type they are, by `struct/field`. The rest are RawExtension. */
const ANY_FIELDS: Readonly<Record<string, string>> = {
  [`${META}.ManagedFieldsEntry/fieldsV1`]: FIELDS_V1,
  [`${EXTENSIONS}.JSONSchemaProps/additionalItems`]: `${EXTENSIONS}.JSONSchemaPropsOrBool`,
  [`${EXTENSIONS}.JSONSchemaProps/additionalProperties`]: `${EXTENSIONS}.JSONSchemaPropsOrBool`,
  [`${EXTENSIONS}.JSONSchemaProps/items`]: `${EXTENSIONS}.JSONSchemaPropsOrArray`,
  [`${EXTENSIONS}.JSONSchemaProps/dependencies`]: `${EXTENSIONS}.JSONSchemaPropsOrStringArray`,
  [`${EXTENSIONS}.JSONSchemaProps/default`]: JSON_TYPE,
  [`${EXTENSIONS}.JSONSchemaProps/example`]: JSON_TYPE,
  [`${EXTENSIONS}.JSONSchemaProps/enum`]: JSON_TYPE,
  [`${EXTENSIONS}.CustomResourceSubresources/status`]: `${EXTENSIONS}.CustomResourceSubresourceStatus`,
};

export function anyTypeName(struct: string, field: string): string {
  return ANY_FIELDS[`${struct}/${field}`] ?? RAW_EXTENSION;
}

/** The definition of a special type; undefined for the ordinary structs. */
export function specialSchema(name: string, dialect: 'v2' | 'v3'): object | undefined {
  switch (name) {
    case TIME:
      return { description: 'A moment in RFC 3339 form, to the second.', type: 'string', format: 'date-time' };
    case MICRO_TIME:
      return { description: 'A moment in RFC 3339 form, to the microsecond.', type: 'string', format: 'date-time' };
    case FIELDS_V1:
      return {
        description: 'A set of fields as a tree: `f:name` is a field, `k:{…}` a list item by its keys, `v:…` a list item by its value, `.` the value itself.',
        type: 'object',
      };
    case PATCH:
      return { description: 'A patch of the form its content type names.', type: 'object' };
    case RAW_EXTENSION:
      return { description: 'Any object, in the form its owner defines.', type: 'object' };
    case QUANTITY:
      return dialect === 'v2'
        ? { description: 'A number with an optional suffix: 500m, 1.5, 128Mi, 2G.', type: 'string' }
        : { description: 'A number with an optional suffix: 500m, 1.5, 128Mi, 2G.', oneOf: [{ type: 'string' }, { type: 'number' }] };
    case INT_OR_STRING:
      return dialect === 'v2'
        ? { description: 'A whole number, or text such as a name or a percentage.', type: 'string', format: 'int-or-string' }
        : { description: 'A whole number, or text such as a name or a percentage.', format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] };
    case `${EXTENSIONS}.CustomResourceSubresourceStatus`:
      return { description: 'Present: the status subresource is served.', type: 'object' };
    case JSON_TYPE:
      return { description: 'Any JSON value.' };
    case `${EXTENSIONS}.JSONSchemaPropsOrBool`:
      return { description: 'A schema, or true or false.' };
    case `${EXTENSIONS}.JSONSchemaPropsOrArray`:
      return { description: 'A schema, or a list of schemas.' };
    case `${EXTENSIONS}.JSONSchemaPropsOrStringArray`:
      return { description: 'A schema, or a list of texts.' };
    default:
      return undefined;
  }
}
