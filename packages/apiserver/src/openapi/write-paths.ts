import type { Content, Operation, PathItem } from './operations.js';
import { tagOf } from './operations.js';
import type { Parameter } from './parameters.js';
import type { JsonSchema, SchemaWriter } from './schema-json.js';

const UNAUTHORIZED = { 401: { description: 'Unauthorized' } };
const CODES: Readonly<Record<string, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted' };

/** A path item as this dialect writes it; the types it needs are added to the writer. */
export function writePathItem(item: PathItem, groupVersion: { readonly group: string; readonly version: string }, writer: SchemaWriter): JsonSchema {
  const out: JsonSchema = {};
  const tag = tagOf(groupVersion.group, groupVersion.version);
  for (const [method, operation] of Object.entries(item.operations)) {
    out[method] = writer.source.dialect === 'v2' ? operationV2(operation, tag, writer) : operationV3(operation, tag, writer);
  }
  if (item.parameters.length > 0) out.parameters = item.parameters.map(writer.source.dialect === 'v2' ? parameterV2 : parameterV3);
  return out;
}

function common(operation: Operation, tag: string): JsonSchema {
  const { group, version, kind } = operation.kind;
  return {
    tags: [tag],
    description: operation.description,
    operationId: operation.id,
    ...(operation.deprecated ? { deprecated: true } : {}),
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': { group, kind, version },
  };
}

function operationV2(operation: Operation, tag: string, writer: SchemaWriter): JsonSchema {
  const body = operation.body
    ? [{ name: 'body', in: 'body', ...(operation.bodyRequired ? { required: true } : {}), schema: content(operation.body, writer) }]
    : [];
  const parameters = [...body, ...operation.parameters.map(parameterV2)];
  return {
    ...common(operation, tag),
    consumes: operation.consumes ?? ['*/*'],
    produces: operation.produces,
    schemes: ['https'],
    ...(parameters.length > 0 ? { parameters } : {}),
    responses: {
      ...Object.fromEntries(Object.entries(operation.responses).map(([code, type]) => [code, { description: CODES[code], schema: content(type, writer) }])),
      ...UNAUTHORIZED,
    },
  };
}

function operationV3(operation: Operation, tag: string, writer: SchemaWriter): JsonSchema {
  const { body, consumes = ['*/*'] } = operation;
  const mediaTypes = (types: readonly string[], type: Content) => Object.fromEntries(types.map((media) => [media, { schema: content(type, writer) }]));
  return {
    ...common(operation, tag),
    ...(operation.parameters.length > 0 ? { parameters: operation.parameters.map(parameterV3) } : {}),
    ...(body ? { requestBody: { content: mediaTypes(consumes, body), ...(operation.bodyRequired ? { required: true } : {}) } } : {}),
    responses: {
      ...Object.fromEntries(
        Object.entries(operation.responses).map(([code, type]) => [code, { description: CODES[code], content: mediaTypes(operation.produces, type) }]),
      ),
      ...UNAUTHORIZED,
    },
  };
}

function content(type: Content, writer: SchemaWriter): JsonSchema {
  return type.type === 'text' ? { type: 'string' } : writer.ref(type.name);
}

function parameterV2({ name, in: where, type, description, required }: Parameter): JsonSchema {
  return { name, in: where, type, description, ...(required ? { required } : { uniqueItems: true }) };
}

function parameterV3({ name, in: where, type, description, required }: Parameter): JsonSchema {
  return { name, in: where, description, ...(required ? { required } : {}), schema: { type, ...(required ? {} : { uniqueItems: true }) } };
}
