import { any, extensions, named, strings } from './gnostic-fields.js';
import { ProtobufWriter } from './protobuf-writer.js';
import type { JsonSchema } from './schema-json.js';

type Json = JsonSchema;

/**
 * A Swagger 2.0 document in the protobuf form of gnostic's `openapi.v2.Document`, which Kubernetes clients ask for. Field numbers
 * are those of OpenAPIv2.proto.
 */
export function encodeV2(document: Json): Buffer {
  const w = new ProtobufWriter();
  const info = document.info as { title: string; version: string };
  w.string(1, document.swagger as string);
  w.message(2, () => {
    w.string(1, info.title);
    w.string(2, info.version);
  });
  w.message(8, () => named(w, 2, document.paths as Record<string, Json>, pathItem));
  w.message(9, () => named(w, 1, document.definitions as Record<string, Json>, schema));
  return w.finish();
}

const METHODS: Readonly<Record<string, number>> = { get: 2, put: 3, post: 4, delete: 5, options: 6, head: 7, patch: 8 };

function pathItem(w: ProtobufWriter, item: Json): void {
  for (const [method, field] of Object.entries(METHODS)) if (item[method]) w.message(field, () => operation(w, item[method] as Json));
  for (const parameter of (item.parameters ?? []) as Json[]) w.message(9, () => parametersItem(w, parameter));
}

function operation(w: ProtobufWriter, op: Json): void {
  strings(w, 1, op.tags as string[]);
  w.string(3, op.description as string);
  w.string(5, op.operationId as string);
  strings(w, 6, op.produces as string[]);
  strings(w, 7, op.consumes as string[]);
  for (const parameter of (op.parameters ?? []) as Json[]) w.message(8, () => parametersItem(w, parameter));
  w.message(9, () =>
    named(w, 1, op.responses as Record<string, Json>, (_, response) =>
      w.message(1, () => {
        w.string(1, response.description as string);
        if (response.schema) w.message(2, () => w.message(1, () => schema(w, response.schema as Json)));
      }),
    ),
  );
  strings(w, 10, op.schemes as string[]);
  w.boolean(11, op.deprecated as boolean | undefined);
  extensions(w, 13, op);
}

const QUERY = { field: 3, type: 6, unique: 20 } as const;
const PATH = { field: 4, type: 5, unique: 19 } as const;

function parametersItem(w: ProtobufWriter, parameter: Json): void {
  w.message(1, () => {
    if (parameter.in === 'body') {
      w.message(1, () => {
        w.string(2, parameter.name as string);
        w.string(3, 'body');
        w.boolean(4, parameter.required as boolean | undefined);
        w.message(5, () => schema(w, parameter.schema as Json));
      });
      return;
    }
    const form = parameter.in === 'query' ? QUERY : PATH;
    w.message(2, () =>
      w.message(form.field, () => {
        w.boolean(1, parameter.required as boolean | undefined);
        w.string(2, parameter.in as string);
        w.string(3, parameter.description as string);
        w.string(4, parameter.name as string);
        w.string(form.type, parameter.type as string);
        w.boolean(form.unique, parameter.uniqueItems as boolean | undefined);
      }),
    );
  });
}

function schema(w: ProtobufWriter, s: Json): void {
  w.string(1, s.$ref as string | undefined);
  w.string(2, s.format as string | undefined);
  w.string(3, s.title as string | undefined);
  w.string(4, s.description as string | undefined);
  if (s.default !== undefined) w.message(5, () => any(w, s.default));
  w.double(6, s.multipleOf as number | undefined);
  w.double(7, s.maximum as number | undefined);
  w.boolean(8, s.exclusiveMaximum as boolean | undefined);
  w.double(9, s.minimum as number | undefined);
  w.boolean(10, s.exclusiveMinimum as boolean | undefined);
  w.integer(11, s.maxLength as number | undefined);
  w.integer(12, s.minLength as number | undefined);
  w.string(13, s.pattern as string | undefined);
  w.integer(14, s.maxItems as number | undefined);
  w.integer(15, s.minItems as number | undefined);
  w.boolean(16, s.uniqueItems as boolean | undefined);
  w.integer(17, s.maxProperties as number | undefined);
  w.integer(18, s.minProperties as number | undefined);
  strings(w, 19, s.required as string[] | undefined);
  for (const value of (s.enum ?? []) as unknown[]) w.message(20, () => any(w, value));
  const { additionalProperties } = s;
  if (typeof additionalProperties === 'boolean') w.message(21, () => w.oneofBoolean(2, additionalProperties));
  else if (additionalProperties) w.message(21, () => w.message(1, () => schema(w, additionalProperties as Json)));
  if (typeof s.type === 'string') w.message(22, () => w.string(1, s.type as string));
  if (s.items) w.message(23, () => w.message(1, () => schema(w, s.items as Json)));
  for (const part of (s.allOf ?? []) as Json[]) w.message(24, () => schema(w, part));
  if (s.properties) w.message(25, () => named(w, 1, s.properties as Record<string, Json>, schema));
  if (s.example !== undefined) w.message(30, () => any(w, s.example));
  extensions(w, 31, s);
}
