import { goText, type Json } from '@coxswain/api';
import { ApiError } from '../status/api-error.js';
import { DEDUCED_TYPE, type CompiledListMap, type CompiledStruct, type CompiledType } from './compiled-type.js';
import { isEmptyNode, LEAF, NO_FIELDS, type Fields } from './fields.js';
import { itemElement, valueElement } from './list-elements.js';

/** An applied configuration that does not fit its type; the text says where, as upstream's typed values do. */
export class AppliedTypeError extends ApiError {
  constructor(subject: string, problems: readonly string[]) {
    const text = problems.length === 1 ? problems[0] : `errors:\n${problems.map((p) => `  ${p}`).join('\n')}`;
    super({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: `failed to create typed patch object (${subject}): ${text}`,
      // Upstream has no better code and no reason for it.
      reason: '',
      code: 500,
    });
  }
}

/**
 * The paths an applied configuration claims: leaves, list items, map entries; a struct only through its fields.
 * Throws `AppliedTypeError` for undeclared fields, missing keys and duplicate items.
 */
export function appliedFields(type: CompiledStruct, object: object, subject: string): Fields {
  const problems: string[] = [];
  const fields = mapFields(type, object as Record<string, unknown>, '', problems);
  if (problems.length > 0) throw new AppliedTypeError(subject, problems);
  if (fields?.['f:metadata'] !== LEAF) return fields ?? NO_FIELDS;
  // `metadata: {}`: nobody owns metadata itself.
  const { 'f:metadata': _metadata, ...others } = fields;
  return others;
}

function fieldsOf(type: CompiledType, value: unknown, path: string, problems: string[]): Fields | undefined {
  if (type.kind === 'skip') return undefined;
  if (value === null || type.kind === 'leaf') return LEAF;
  if (type.kind === 'set' || type.kind === 'listMap') {
    if (!Array.isArray(value)) return wrong(path, 'list', value, problems);
    return listFields(type, value, path, problems);
  }
  if (typeof value !== 'object' || Array.isArray(value)) return type.kind === 'deduced' ? LEAF : wrong(path, 'map', value, problems);
  const fields = mapFields(type, value as Record<string, unknown>, path, problems);
  if (!fields) return LEAF;
  // Everything in it is untracked.
  return isEmptyNode(fields) ? undefined : fields;
}

function wrong(path: string, expected: string, value: unknown, problems: string[]): undefined {
  problems.push(`${path}: expected ${expected}, got &{${goText(value as Json)}}`);
}

/** Undefined for an empty map. */
function mapFields(
  type: Exclude<CompiledType, { kind: 'leaf' | 'set' | 'listMap' | 'skip' }>,
  value: Record<string, unknown>,
  path: string,
  problems: string[],
): Fields | undefined {
  let out: Record<string, Fields> | undefined;
  for (const key in value) {
    const v = value[key];
    if (v === undefined) continue;
    const field = type.kind === 'struct' ? type.fields.get(key) : undefined;
    const child = field ? field.type : type.kind === 'struct' ? type.unknown : type.kind === 'map' ? type.values : DEDUCED_TYPE;
    if (!child) {
      problems.push(`${path}.${key}: field not declared in schema`);
      continue;
    }
    const fields = fieldsOf(child, v, `${path}.${key}`, problems);
    // A map entry is claimed itself, a declared field only through what is in it.
    if (fields) (out ??= {})[`f:${key}`] = field || fields === LEAF ? fields : { '.': LEAF, ...fields };
    else out ??= {};
  }
  return out;
}

function listFields(type: CompiledListMap | { readonly kind: 'set' }, list: readonly unknown[], path: string, problems: string[]): Fields {
  const out: Record<string, Fields> = {};
  list.forEach((item, i) => {
    const element = type.kind === 'set' ? valueElement(item) : itemElement(type, item);
    if (element === undefined) {
      const missing =
        type.kind === 'listMap' ? type.keys.find((k) => (item as Record<string, unknown> | null)?.[k] === undefined && type.defaults[k] === undefined) : '';
      problems.push(
        `${path}: element ${i}: associative list with keys has an element that omits key field ${JSON.stringify(missing)} (and doesn't have default value)`,
      );
      return;
    }
    if (out[element]) {
      problems.push(`${path}: duplicate entries for key ${formatKey(element)}`);
      return;
    }
    const below = type.kind === 'listMap' ? fieldsOf(type.items, item, `${path}${formatKey(element)}`, problems) : undefined;
    out[element] = below && below !== LEAF ? { '.': LEAF, ...below } : LEAF;
  });
  return list.length === 0 ? LEAF : out;
}

function formatKey(element: string): string {
  if (element.startsWith('v:')) return `[=${element.slice(2)}]`;
  return `[${Object.entries(JSON.parse(element.slice(2)) as object)
    .map(([k, v]) => `${k}=${JSON.stringify(v)}`)
    .join(',')}]`;
}
