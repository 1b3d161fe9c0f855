const MAX = 64;
const MIN = MAX / 4;

interface Leaf<V> {
  readonly leaf: true;
  readonly keys: string[];
  readonly values: V[];
}

interface Inner<V> {
  readonly leaf: false;
  /** keys[i] separates children[i] (smaller) from children[i + 1] (greater or equal). */
  readonly keys: string[];
  readonly children: Node<V>[];
}

type Node<V> = Leaf<V> | Inner<V>;
interface Split<V> {
  readonly key: string;
  readonly right: Node<V>;
}

/**
 * A B+tree from string to V in code-unit order, with a hash map beside it for exact look-ups.
 * set and delete are O(log n), get O(1), visiting a range O(log n + visited).
 */
export class SortedMap<V> {
  readonly #exact = new Map<string, V>();
  #root: Node<V> = { leaf: true, keys: [], values: [] };
  #filling = false;

  get size(): number {
    return this.#exact.size;
  }

  get(key: string): V | undefined {
    return this.#exact.get(key);
  }

  /** Runs `fill`, in which much is set or deleted and nothing visited: sorting once takes a fraction of finding a place for each key. */
  fill(fill: () => void): void {
    this.#filling = true;
    try {
      fill();
    } finally {
      this.#filling = false;
      this.#root = treeOf(this.#exact);
    }
  }

  set(key: string, value: V): void {
    this.#exact.set(key, value);
    if (this.#filling) return;
    const split = insert(this.#root, key, value);
    if (split) this.#root = { leaf: false, keys: [split.key], children: [this.#root, split.right] };
  }

  delete(key: string): boolean {
    if (!this.#exact.delete(key)) return false;
    if (this.#filling) return true;
    remove(this.#root, key);
    while (!this.#root.leaf && this.#root.children.length <= 1) {
      this.#root = this.#root.children[0] ?? { leaf: true, keys: [], values: [] };
    }
    return true;
  }

  /** Visit from <= key < to (`to` undefined: to the end) in order, until `visit` returns false. */
  visit(from: string, to: string | undefined, visit: (value: V) => boolean): void {
    walk(this.#root, from, to, visit);
  }
}

/** Of full nodes, as keys that arrive in order make them. */
function treeOf<V>(entries: ReadonlyMap<string, V>): Node<V> {
  const keys = [...entries.keys()].sort();
  let level: Node<V>[] = [];
  for (let at = 0; at < keys.length; at += MAX) {
    const some = keys.slice(at, at + MAX);
    level.push({ leaf: true, keys: some, values: some.map((key) => entries.get(key) as V) });
  }
  // keys[i * MAX ** n] begins the i-th node of level n.
  for (let below = MAX; level.length > 1; below *= MAX) {
    const above: Node<V>[] = [];
    for (let at = 0; at < level.length; at += MAX) {
      const children = level.slice(at, at + MAX);
      above.push({ leaf: false, keys: children.slice(1).map((_, i) => keys[(at + i + 1) * below] as string), children });
    }
    level = above;
  }
  return level[0] ?? { leaf: true, keys: [], values: [] };
}

/** First index whose key is >= key. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const mid = (low + high) >>> 1;
    if ((keys[mid] as string) < key) low = mid + 1;
    else high = mid;
  }
  return low;
}

/** The child that holds `key`: separators equal to it lead to the right. */
function childIndex(keys: readonly string[], key: string): number {
  const i = lowerBound(keys, key);
  return keys[i] === key ? i + 1 : i;
}

function insert<V>(node: Node<V>, key: string, value: V): Split<V> | undefined {
  if (node.leaf) {
    const i = lowerBound(node.keys, key);
    if (node.keys[i] === key) {
      node.values[i] = value;
      return undefined;
    }
    node.keys.splice(i, 0, key);
    node.values.splice(i, 0, value);
    if (node.keys.length <= MAX) return undefined;
    // Keys that arrive in order would leave half-empty leaves behind: keep the left leaf full then.
    const at = i === node.keys.length - 1 ? MAX : MAX >>> 1;
    const right: Leaf<V> = { leaf: true, keys: node.keys.splice(at), values: node.values.splice(at) };
    return { key: right.keys[0] as string, right };
  }
  const i = childIndex(node.keys, key);
  const split = insert(node.children[i] as Node<V>, key, value);
  if (!split) return undefined;
  node.keys.splice(i, 0, split.key);
  node.children.splice(i + 1, 0, split.right);
  if (node.children.length <= MAX) return undefined;
  const at = MAX >>> 1;
  const children = node.children.splice(at);
  const keys = node.keys.splice(at);
  // Of the separators left of `at`, the last one moves up.
  const up = node.keys.pop() as string;
  return { key: up, right: { leaf: false, keys, children } };
}

function remove<V>(node: Node<V>, key: string): void {
  if (node.leaf) {
    const i = lowerBound(node.keys, key);
    if (node.keys[i] !== key) return;
    node.keys.splice(i, 1);
    node.values.splice(i, 1);
    return;
  }
  const i = childIndex(node.keys, key);
  const child = node.children[i] as Node<V>;
  remove(child, key);
  if (width(child) >= MIN) return;
  if (width(child) === 0) {
    node.children.splice(i, 1);
    node.keys.splice(i === 0 ? 0 : i - 1, 1);
  } else if (!mergeInto(node, i)) {
    mergeInto(node, i - 1);
  }
}

/** Merge child i + 1 into child i when both fit into one node. */
function mergeInto<V>(parent: Inner<V>, i: number): boolean {
  const left = parent.children[i];
  const right = parent.children[i + 1];
  if (!left || !right || width(left) + width(right) > MAX) return false;
  if (left.leaf && right.leaf) {
    left.keys.push(...right.keys);
    left.values.push(...right.values);
  } else if (!left.leaf && !right.leaf) {
    left.keys.push(parent.keys[i] as string, ...right.keys);
    left.children.push(...right.children);
  }
  parent.children.splice(i + 1, 1);
  parent.keys.splice(i, 1);
  return true;
}

function width<V>(node: Node<V>): number {
  return node.leaf ? node.keys.length : node.children.length;
}

function walk<V>(node: Node<V>, from: string, to: string | undefined, visit: (value: V) => boolean): boolean {
  if (node.leaf) {
    const { keys, values } = node;
    for (let i = lowerBound(keys, from); i < keys.length; i++) {
      if (to !== undefined && (keys[i] as string) >= to) return false;
      if (!visit(values[i] as V)) return false;
    }
    return true;
  }
  for (let i = childIndex(node.keys, from); i < node.children.length; i++) {
    if (i > 0 && to !== undefined && (node.keys[i - 1] as string) >= to) return false;
    if (!walk(node.children[i] as Node<V>, from, to, visit)) return false;
  }
  return true;
}
