import { PROTOBUF_CONTENT_TYPE as PROTOBUF } from '@coxswain/api';
import { ApiError } from '@coxswain/apimachinery';
import { JSON_SCHEMA, load } from 'js-yaml';
import { decodeProtobuf } from '../protobuf/kinds.js';
import { scanJson } from './scan-json.js';

export interface DecodedBody {
  readonly value: unknown;
  /** Paths of members that occur twice. */
  readonly duplicates: readonly string[];
}

const ACCEPTED = ['application/json', 'application/yaml', PROTOBUF] as const;

/** The media type without its parameters, in lower case. */
export function mediaType(header: string | string[] | undefined): string {
  if (typeof header !== 'string') return '';
  const semicolon = header.indexOf(';');
  return (semicolon < 0 ? header : header.slice(0, semicolon)).trim().toLowerCase();
}

/** Parse a request body; throws 400 or 415. */
export function decodeBody(body: Buffer, contentType: string | string[] | undefined, strict = false): DecodedBody {
  switch (mediaType(contentType)) {
    case '':
    case 'application/json':
      return parseJson(body, strict);
    case 'application/yaml':
    case 'application/x-yaml':
    case 'text/yaml':
      return { value: parseYaml(body).value, duplicates: [] };
    case PROTOBUF:
      return { value: decodeProtobuf(body), duplicates: [] };
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
    // Aliases share nodes: one round through JSON makes a tree of it, and bounds what they can blow up to.
    const json = JSON.stringify(value ?? null);
    if (json.length > 16 * 1024 * 1024) throw new Error('the document grows beyond the limit');
    return { value: JSON.parse(json), ...(duplicate === undefined ? {} : { duplicate }) };
  } catch (error) {
    throw ApiError.badRequest(`error converting YAML to JSON: ${(error as Error).message}`);
  }
}

/** In the words of upstream's parser. */
function duplicateIn(error: unknown, text: string): string | undefined {
  const { reason, mark } = error as { reason?: string; mark?: { line: number; position: number } };
  if (!reason?.startsWith('duplicated mapping key') || !mark) return undefined;
  const key = /^\s*["']?([^"':,{}\s]+)/.exec(text.slice(mark.position))?.[1] ?? '';
  return `line ${mark.line + 1}: key ${JSON.stringify(key)} already set in map`;
}
