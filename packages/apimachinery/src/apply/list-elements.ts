import type { CompiledListMap } from './compiled-type.js';

/** `k:{"containerPort":80,"protocol":"TCP"}`; undefined when the item lacks a key that has no default. */
export function itemElement(type: CompiledListMap, item: unknown): string | undefined {
  if (typeof item !== 'object' || item === null) return undefined;
  const { keys } = type;
  let out = 'k:{';
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as string;
    const value = (item as Record<string, unknown>)[key] ?? type.defaults[key];
    if (value === undefined) return undefined;
    out += `${i === 0 ? '' : ','}"${key}":${typeof value === 'number' ? value : JSON.stringify(value)}`;
  }
  return `${out}}`;
}

/** Do two items have the same keys? False also when a key is missing. */
export function sameItem(type: CompiledListMap, a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return false;
  for (const key of type.keys) {
    const x = (a as Record<string, unknown>)[key] ?? type.defaults[key];
    if (x === undefined || x !== ((b as Record<string, unknown>)[key] ?? type.defaults[key])) return false;
  }
  return true;
}

export const valueElement = (value: unknown): string => `v:${JSON.stringify(value)}`;

/** The path element of each item; undefined when one has none or two are the same (then the list is one value). */
export function listElements(type: CompiledListMap | { readonly kind: 'set' }, list: readonly unknown[]): string[] | undefined {
  const out: string[] = [];
  for (const item of list) {
    const element = type.kind === 'set' ? valueElement(item) : itemElement(type, item);
    if (element === undefined) return undefined;
    out.push(element);
  }
  return new Set(out).size === out.length ? out : undefined;
}
