import { PROTOBUF_CONTENT_TYPE as PROTOBUF } from '@coxswain/api';
import { ApiError } from '@coxswain/apimachinery';
import { JSON_SCHEMA, load } from 'js-yaml';
import { type CustomMessage, decodeProtobuf } from '../protobuf/kinds.js';
import { MAX_DEPTH, scanJson } from './scan-json.js';

export interface DecodedBody {
  readonly value: unknown;
  /** Paths of members that occur twice. */
  readonly duplicates: readonly string[];
  /** What upstream's parser of YAML says of keys that stand twice. */
  readonly yamlProblem?: string;
}

const ACCEPTED = ['application/json', 'application/yaml', PROTOBUF] as const;

/** The media type without its parameters, in lower case. */
export function mediaType(header: string | string[] | undefined): string {
  if (typeof header !== 'string') return '';
  const semicolon = header.indexOf(';');
  return (semicolon < 0 ? header : header.slice(0, semicolon)).trim().toLowerCase();
}

/** Parse a request body; throws 400 or 415. `custom`: what it may be as protobuf, besides built-in kinds. */
export function decodeBody(body: Buffer, contentType: string | string[] | undefined, strict = false, custom?: CustomMessage): DecodedBody {
  switch (mediaType(contentType)) {
    case '':
    case 'application/json':
      return parseJson(body, strict);
    case 'application/yaml':
    case 'application/x-yaml':
    case 'text/yaml': {
      const { value, duplicate } = parseYaml(body);
      return { value, duplicates: [], ...(duplicate === undefined ? {} : { yamlProblem: `yaml: unmarshal errors:\n  ${duplicate}` }) };
    }
    case PROTOBUF:
      return { value: decodeProtobuf(body, custom), duplicates: [] };
    default:
      throw ApiError.unsupportedMediaType(ACCEPTED);
  }
}

export function parseJson(body: Buffer, strict: boolean): DecodedBody {
  const text = body.toString();
  const scan = scanJson(text, strict);
  if (scan.tooDeep) throw ApiError.badRequest('exceeded max depth');
  try {
    return { value: JSON.parse(text), duplicates: scan.duplicates };
  } catch (error) {
    throw ApiError.badRequest(`the object provided is unrecognized (must be of type Object): ${(error as Error).message}`);
  }
}

/** `duplicate`: where a key stands twice, of which the last counts. */
export function parseYaml(body: Buffer): { readonly value: unknown; readonly duplicate?: string } {
  const text = body.toString();
  try {
    let value: unknown;
    let duplicate: string | undefined;
    try {
      value = load(text, { schema: JSON_SCHEMA });
    } catch (error) {
      duplicate = duplicateIn(error, text);
      if (duplicate === undefined) throw error;
      value = load(text, { schema: JSON_SCHEMA, json: true });
    }
    return { value: untangled(value ?? null), ...(duplicate === undefined ? {} : { duplicate }) };
  } catch (error) {
    throw ApiError.badRequest(`error converting YAML to JSON: ${(error as Error).message}`);
  }
}

const MAX_YAML_NODES = 1_000_000;
const MAX_YAML_CHARACTERS = 16 * 1024 * 1024;

/** A tree without shared parts. A few aliases of aliases can stand for more than any memory holds: refused before it is made. */
function untangled(value: unknown): unknown {
  let nodes = 0;
  let characters = 0;
  const copy = (part: unknown, depth: number): unknown => {
    if (typeof part === 'string') characters += part.length;
    if (++nodes > MAX_YAML_NODES || characters > MAX_YAML_CHARACTERS) throw new Error('document contains excessive aliasing');
    if (depth > MAX_DEPTH) throw new Error('exceeded max depth');
    if (Array.isArray(part)) return part.map((item) => copy(item, depth + 1));
    if (typeof part !== 'object' || part === null) return part;
    return Object.fromEntries(Object.entries(part).map(([key, member]) => [key, copy(member, depth + 1)]));
  };
  return copy(value, 0);
}

/** In the words of upstream's parser. */
function duplicateIn(error: unknown, text: string): string | undefined {
  const { reason, mark } = error as { reason?: string; mark?: { line: number; position: number } };
  if (!reason?.startsWith('duplicated mapping key') || !mark) return undefined;
  const key = /^\s*["']?([^"':,{}\s]+)/.exec(text.slice(mark.position))?.[1] ?? '';
  return `line ${mark.line + 1}: key ${JSON.stringify(key)} already set in map`;
}
