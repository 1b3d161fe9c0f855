/**
 * A set of field paths as `fieldsV1` stores it, worked on as it is: a trie whose keys are path elements.
 * `f:name` a field or map key, `k:{…}` a list item by its keys, `v:…` a set item, `i:n` an index; `.` marks a node that is itself in the
 * set although it has children. A node without children is in the set. All functions are pure: they share what does not change, and
 * return the very same node when nothing changes.
 */
export interface Fields {
  readonly [element: string]: Fields;
}

/** A node in the set, without children. */
export const LEAF: Fields = Object.freeze({});
/** No path at all (only as a root). */
export const NO_FIELDS: Fields = LEAF;

export function isEmptyNode(node: Fields): boolean {
  for (const _ in node) return false;
  return true;
}

/** Is the node itself in the set (not only something below it)? */
export function isMember(node: Fields | undefined): boolean {
  return node !== undefined && (node['.'] !== undefined || isEmptyNode(node));
}

export function hasChildren(node: Fields): boolean {
  for (const k in node) if (k !== '.') return true;
  return false;
}

/** As a child: a leaf gets the explicit mark, so that children may be added. */
const withMark = (node: Fields): Fields => (isEmptyNode(node) ? { '.': LEAF } : node);

/** Union of two roots. */
export function unionFields(a: Fields, b: Fields): Fields {
  if (a === b) return a;
  let out: Record<string, Fields> | undefined;
  for (const k in b) {
    const y = b[k] as Fields;
    const x = a[k];
    const merged = x === undefined ? y : k === '.' ? x : unionNodes(x, y);
    if (merged !== x) (out ??= { ...a })[k] = merged;
  }
  return out ?? a;
}

function unionNodes(x: Fields, y: Fields): Fields {
  if (x === y) return x;
  const emptyX = isEmptyNode(x);
  const emptyY = isEmptyNode(y);
  if (emptyX && emptyY) return x;
  if (emptyX) return unionFields(withMark(x), y);
  if (emptyY) return x['.'] !== undefined ? x : { '.': LEAF, ...x };
  return unionFields(x, y);
}

/** What is in `a` but not in `b`; roots. */
export function differenceFields(a: Fields, b: Fields): Fields {
  return subtract(a, b, false);
}

/** As `differenceFields`, but a member of `b` takes everything below it along. */
export function recursiveDifferenceFields(a: Fields, b: Fields): Fields {
  return subtract(a, b, true);
}

function subtract(a: Fields, b: Fields, recursive: boolean): Fields {
  let out: Record<string, Fields> | undefined;
  for (const k in b) {
    const x = a[k];
    if (x === undefined) continue;
    const rest = k === '.' ? undefined : subtractNode(x, b[k] as Fields, recursive);
    if (rest === x) continue;
    out ??= { ...a };
    if (rest === undefined) delete out[k];
    else out[k] = rest;
  }
  return out ?? a;
}

function subtractNode(x: Fields, y: Fields, recursive: boolean): Fields | undefined {
  const memberY = isMember(y);
  if (memberY && recursive) return undefined;
  if (isEmptyNode(x)) return memberY ? undefined : x;
  let rest = subtract(x, y, recursive);
  if (memberY && rest['.'] !== undefined) {
    const { '.': _mark, ...others } = rest;
    rest = others;
  }
  if (isEmptyNode(rest)) return undefined;
  // Only the mark is left: written as a leaf.
  if (rest['.'] !== undefined && !hasChildren(rest)) return LEAF;
  return rest;
}

/** What is in both; roots. */
export function intersectFields(a: Fields, b: Fields): Fields {
  const out: Record<string, Fields> = {};
  for (const k in a) {
    const x = a[k] as Fields;
    const y = b[k];
    if (y === undefined || k === '.') continue;
    const both = intersectNodes(x, y);
    if (both) out[k] = both;
  }
  return out;
}

function intersectNodes(x: Fields, y: Fields): Fields | undefined {
  const member = isMember(x) && isMember(y);
  const children = intersectFields(x, y);
  if (isEmptyNode(children)) return member ? LEAF : undefined;
  return member ? { '.': LEAF, ...children } : children;
}

/** The same set? */
export function equalFields(a: Fields, b: Fields): boolean {
  if (a === b) return true;
  for (const k in a) if (k !== '.' && (b[k] === undefined || !equalNodes(a[k] as Fields, b[k]))) return false;
  for (const k in b) if (k !== '.' && a[k] === undefined) return false;
  return true;
}

const equalNodes = (x: Fields, y: Fields): boolean => x === y || (isMember(x) === isMember(y) && equalFields(x, y));

/** Every path in the set, as lists of path elements, in order. */
export function* pathsOf(root: Fields, prefix: readonly string[] = []): Iterable<readonly string[]> {
  for (const k of Object.keys(root).sort()) {
    if (k === '.') continue;
    const node = root[k] as Fields;
    const path = [...prefix, k];
    if (isMember(node)) yield path;
    yield* pathsOf(node, path);
  }
}

/** A path as messages print it: `.spec.containers[name="web"].ports[0]`. */
export function formatPath(path: readonly string[]): string {
  return path
    .map((element) => {
      const rest = element.slice(2);
      switch (element[0]) {
        case 'f':
          return `.${rest}`;
        case 'v':
          return `[=${rest}]`;
        case 'i':
          return `[${rest}]`;
        default: {
          const keys = JSON.parse(rest) as Record<string, unknown>;
          return `[${Object.entries(keys)
            .map(([k, v]) => `${k}=${JSON.stringify(v)}`)
            .join(',')}]`;
        }
      }
    })
    .join('');
}
