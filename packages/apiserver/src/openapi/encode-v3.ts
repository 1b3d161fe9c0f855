import { any, extensions, named, strings } from './gnostic-fields.js';
import { ProtobufWriter } from './protobuf-writer.js';
import type { JsonSchema } from './schema-json.js';

type Json = JsonSchema;

/** An OpenAPI 3.0 document in the protobuf form of gnostic's `openapi.v3.Document`. Field numbers are those of OpenAPIv3.proto. */
export function encodeV3(document: Json): Buffer {
  const w = new ProtobufWriter();
  const info = document.info as { title: string; version: string };
  const components = document.components as { schemas?: Record<string, Json>; securitySchemes?: Record<string, Json> };
  w.string(1, document.openapi as string);
  w.message(2, () => {
    w.string(1, info.title);
    w.string(6, info.version);
  });
  w.message(4, () => named(w, 1, document.paths as Record<string, Json>, pathItem));
  w.message(5, () => {
    if (components.schemas) w.message(1, () => named(w, 1, components.schemas, schemaOrReference));
    if (components.securitySchemes) w.message(7, () => named(w, 1, components.securitySchemes, securityScheme));
  });
  return w.finish();
}

const METHODS: Readonly<Record<string, number>> = { get: 4, put: 5, post: 6, delete: 7, options: 8, head: 9, patch: 10, trace: 11 };

function pathItem(w: ProtobufWriter, item: Json): void {
  for (const [method, field] of Object.entries(METHODS)) if (item[method]) w.message(field, () => operation(w, item[method] as Json));
  for (const each of (item.parameters ?? []) as Json[]) w.message(13, () => parameter(w, each));
}

function operation(w: ProtobufWriter, op: Json): void {
  strings(w, 1, op.tags as string[]);
  w.string(2, op.summary as string | undefined);
  w.string(3, op.description as string | undefined);
  w.string(5, op.operationId as string);
  for (const each of (op.parameters ?? []) as Json[]) w.message(6, () => parameter(w, each));
  const body = op.requestBody as Json | undefined;
  if (body) {
    w.message(7, () =>
      w.message(1, () => {
        w.string(1, body.description as string | undefined);
        mediaTypes(w, 2, body.content);
        w.boolean(3, body.required as boolean | undefined);
      }),
    );
  }
  w.message(8, () => named(w, 2, op.responses as Record<string, Json>, response));
  w.boolean(10, op.deprecated as boolean | undefined);
  extensions(w, 13, op);
}

function response(w: ProtobufWriter, of: Json): void {
  w.message(1, () => {
    w.string(1, of.description as string);
    mediaTypes(w, 3, of.content);
  });
}

function mediaTypes(w: ProtobufWriter, field: number, content: unknown): void {
  if (!content) return;
  w.message(field, () =>
    named(w, 1, content as Record<string, Json>, (_, { schema }) => {
      if (schema) w.message(1, () => schemaOrReference(w, schema as Json));
    }),
  );
}

function parameter(w: ProtobufWriter, of: Json): void {
  w.message(1, () => {
    w.string(1, of.name as string);
    w.string(2, of.in as string);
    w.string(3, of.description as string | undefined);
    w.boolean(4, of.required as boolean | undefined);
    if (of.schema) w.message(10, () => schemaOrReference(w, of.schema as Json));
  });
}

function securityScheme(w: ProtobufWriter, of: Json): void {
  w.message(1, () => {
    w.string(1, of.type as string);
    w.string(2, of.description as string | undefined);
    w.string(3, of.name as string | undefined);
    w.string(4, of.in as string | undefined);
  });
}

function schemaOrReference(w: ProtobufWriter, s: Json): void {
  if (typeof s.$ref === 'string') w.message(2, () => w.string(1, s.$ref as string));
  else w.message(1, () => schema(w, s));
}

function schema(w: ProtobufWriter, s: Json): void {
  w.boolean(1, s.nullable as boolean | undefined);
  const docs = s.externalDocs as Json | undefined;
  if (docs) {
    w.message(6, () => {
      w.string(1, docs.description as string | undefined);
      w.string(2, docs.url as string | undefined);
    });
  }
  if (s.example !== undefined) w.message(7, () => any(w, s.example));
  w.string(9, s.title as string | undefined);
  w.double(10, s.multipleOf as number | undefined);
  w.double(11, s.maximum as number | undefined);
  w.boolean(12, s.exclusiveMaximum as boolean | undefined);
  w.double(13, s.minimum as number | undefined);
  w.boolean(14, s.exclusiveMinimum as boolean | undefined);
  w.integer(15, s.maxLength as number | undefined);
  w.integer(16, s.minLength as number | undefined);
  w.string(17, s.pattern as string | undefined);
  w.integer(18, s.maxItems as number | undefined);
  w.integer(19, s.minItems as number | undefined);
  w.boolean(20, s.uniqueItems as boolean | undefined);
  w.integer(21, s.maxProperties as number | undefined);
  w.integer(22, s.minProperties as number | undefined);
  strings(w, 23, s.required as string[] | undefined);
  for (const value of (s.enum ?? []) as unknown[]) w.message(24, () => any(w, value));
  w.string(25, s.type as string | undefined);
  for (const [field, list] of [
    [26, s.allOf],
    [27, s.oneOf],
    [28, s.anyOf],
  ] as const) {
    for (const part of (list ?? []) as Json[]) w.message(field, () => schemaOrReference(w, part));
  }
  // Of what may stand behind `not`, the form knows only a schema, no reference.
  if (s.not) w.message(29, () => schema(w, s.not as Json));
  if (s.items) w.message(30, () => w.message(1, () => schemaOrReference(w, s.items as Json)));
  if (s.properties) w.message(31, () => named(w, 1, s.properties as Record<string, Json>, schemaOrReference));
  const { additionalProperties } = s;
  if (typeof additionalProperties === 'boolean') w.message(32, () => w.oneofBoolean(2, additionalProperties));
  else if (additionalProperties) w.message(32, () => w.message(1, () => schemaOrReference(w, additionalProperties as Json)));
  defaultType(w, s.default);
  w.string(34, s.description as string | undefined);
  w.string(35, s.format as string | undefined);
  extensions(w, 36, s);
}

/** The form has defaults that are a number, a boolean or a string; others are left out. */
function defaultType(w: ProtobufWriter, value: unknown): void {
  if (typeof value === 'number') w.message(33, () => w.oneofDouble(1, value));
  else if (typeof value === 'boolean') w.message(33, () => w.oneofBoolean(2, value));
  else if (typeof value === 'string') w.message(33, () => w.oneofString(3, value));
}
