/** What OpenAPIv3.proto says of the messages our documents use: `field number → [JSON name, type]`; `[]` after a type is repeated. */
const MESSAGES: Readonly<Record<string, Readonly<Record<number, readonly [string, string]>>>> = {
  Document: { 1: ['openapi', 'string'], 2: ['info', 'Info'], 4: ['paths', 'Paths'], 5: ['components', 'Components'] },
  Info: { 1: ['title', 'string'], 2: ['description', 'string'], 6: ['version', 'string'] },
  Paths: { 1: ['', 'named:PathItem'] },
  Components: { 1: ['schemas', 'Schemas'], 7: ['securitySchemes', 'SecuritySchemes'] },
  Schemas: { 1: ['', 'named:SchemaOrReference'] },
  SecuritySchemes: { 1: ['', 'named:SecuritySchemeOrReference'] },
  SecuritySchemeOrReference: { 1: ['=', 'SecurityScheme'], 2: ['=', 'Reference'] },
  SecurityScheme: { 1: ['type', 'string'], 2: ['description', 'string'], 3: ['name', 'string'], 4: ['in', 'string'] },
  PathItem: {
    4: ['get', 'Operation'],
    5: ['put', 'Operation'],
    6: ['post', 'Operation'],
    7: ['delete', 'Operation'],
    8: ['options', 'Operation'],
    9: ['head', 'Operation'],
    10: ['patch', 'Operation'],
    13: ['parameters', 'ParameterOrReference[]'],
  },
  Operation: {
    1: ['tags', 'string[]'],
    3: ['description', 'string'],
    5: ['operationId', 'string'],
    6: ['parameters', 'ParameterOrReference[]'],
    7: ['requestBody', 'RequestBodyOrReference'],
    8: ['responses', 'Responses'],
    10: ['deprecated', 'bool'],
    13: ['', 'named:Any'],
  },
  ParameterOrReference: { 1: ['=', 'Parameter'], 2: ['=', 'Reference'] },
  Parameter: {
    1: ['name', 'string'],
    2: ['in', 'string'],
    3: ['description', 'string'],
    4: ['required', 'bool'],
    10: ['schema', 'SchemaOrReference'],
  },
  RequestBodyOrReference: { 1: ['=', 'RequestBody'], 2: ['=', 'Reference'] },
  RequestBody: { 1: ['description', 'string'], 2: ['content', 'MediaTypes'], 3: ['required', 'bool'] },
  MediaTypes: { 1: ['', 'named:MediaType'] },
  MediaType: { 1: ['schema', 'SchemaOrReference'] },
  Responses: { 2: ['', 'named:ResponseOrReference'] },
  ResponseOrReference: { 1: ['=', 'Response'], 2: ['=', 'Reference'] },
  Response: { 1: ['description', 'string'], 3: ['content', 'MediaTypes'] },
  SchemaOrReference: { 1: ['=', 'Schema'], 2: ['=', 'Reference'] },
  Reference: { 1: ['$ref', 'string'] },
  ExternalDocs: { 1: ['description', 'string'], 2: ['url', 'string'] },
  Properties: { 1: ['', 'named:SchemaOrReference'] },
  Items: { 1: ['=', 'SchemaOrReference'] },
  AdditionalProperties: { 1: ['=', 'SchemaOrReference'], 2: ['=', 'bool'] },
  DefaultType: { 1: ['=', 'double'], 2: ['=', 'bool'], 3: ['=', 'string'] },
  Any: { 2: ['=', 'yaml'] },
  Schema: {
    1: ['nullable', 'bool'],
    6: ['externalDocs', 'ExternalDocs'],
    7: ['example', 'Any'],
    9: ['title', 'string'],
    10: ['multipleOf', 'double'],
    11: ['maximum', 'double'],
    12: ['exclusiveMaximum', 'bool'],
    13: ['minimum', 'double'],
    14: ['exclusiveMinimum', 'bool'],
    15: ['maxLength', 'int64'],
    16: ['minLength', 'int64'],
    17: ['pattern', 'string'],
    18: ['maxItems', 'int64'],
    19: ['minItems', 'int64'],
    20: ['uniqueItems', 'bool'],
    21: ['maxProperties', 'int64'],
    22: ['minProperties', 'int64'],
    23: ['required', 'string[]'],
    24: ['enum', 'Any[]'],
    25: ['type', 'string'],
    26: ['allOf', 'SchemaOrReference[]'],
    27: ['oneOf', 'SchemaOrReference[]'],
    28: ['anyOf', 'SchemaOrReference[]'],
    29: ['not', 'Schema'],
    30: ['items', 'Items'],
    31: ['properties', 'Properties'],
    32: ['additionalProperties', 'AdditionalProperties'],
    33: ['default', 'DefaultType'],
    34: ['description', 'string'],
    35: ['format', 'string'],
    36: ['', 'named:Any'],
  },
};

type Json = Record<string, unknown>;
type Named = { readonly name: string; readonly value: unknown };

/** Reads an `openapi.v3.Document` back into the JSON it was made from; throws on fields that the definitions do not have. */
export function decodeV3(bytes: Buffer): Json {
  return message(bytes, 'Document') as Json;
}

function message(bytes: Buffer, type: string): unknown {
  const fields = type.startsWith('named:') ? { 1: ['name', 'string'] as const, 2: ['value', type.slice('named:'.length)] as const } : MESSAGES[type];
  if (!fields) throw new Error(`no message ${type}`);
  let out: unknown = {};
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error(`${type} is cut`);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const known: readonly [string, string] | undefined = (fields as (typeof MESSAGES)[string])[tag >> 3];
    if (!known) throw new Error(`${type} has no field ${tag >> 3}`);
    const [name, spelled] = known;
    const one = spelled.replace('[]', '');
    const wire = one === 'bool' || one === 'int64' ? 0 : one === 'double' ? 1 : 2;
    if ((tag & 7) !== wire) throw new Error(`${type}.${name} has wire type ${tag & 7}`);
    let value: unknown;
    if (wire === 0) value = one === 'bool' ? varint() === 1 : varint();
    else if (wire === 1) value = bytes.readDoubleLE((at += 8) - 8);
    else {
      const size = varint();
      const part = bytes.subarray(at, (at += size));
      if (part.length !== size) throw new Error(`${type}.${name} is cut`);
      if (one === 'string') value = part.toString();
      else if (one === 'yaml') value = JSON.parse(part.toString());
      else value = message(part, one);
    }
    if (one.startsWith('named:')) (out as Json)[(value as Named).name] = (value as Named).value;
    else if (name === '=') out = value;
    else if (spelled.endsWith('[]')) (out as Json)[name] = [...(((out as Json)[name] as unknown[] | undefined) ?? []), value];
    else (out as Json)[name] = value;
  }
  return out;
}
