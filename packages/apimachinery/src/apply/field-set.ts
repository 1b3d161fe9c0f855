import {
  differenceFields,
  equalFields,
  formatPath,
  intersectFields,
  isEmptyNode,
  isMember,
  LEAF,
  NO_FIELDS,
  pathsOf,
  recursiveDifferenceFields,
  unionFields,
  type Fields,
} from './fields.js';

/** A set of field paths; immutable. */
export class FieldSet {
  static readonly empty = new FieldSet(NO_FIELDS);

  /** `fields` in the `fieldsV1` form; not copied. */
  constructor(readonly fields: Fields) {}

  /** Of struct field names: `FieldSet.ofPaths(['status'], ['metadata', 'labels'])`. */
  static ofPaths(...paths: readonly (readonly string[])[]): FieldSet {
    return FieldSet.ofElements(...paths.map((p) => p.map((name) => `f:${name}`)));
  }

  /** Of path elements as `fieldsV1` writes them: `['f:spec', 'k:{"name":"a"}']`. */
  static ofElements(...paths: readonly (readonly string[])[]): FieldSet {
    let all: Fields = NO_FIELDS;
    for (const path of paths)
      all = unionFields(
        all,
        path.reduceRight<Fields>((below, element) => ({ [element]: below }), LEAF),
      );
    return new FieldSet(all);
  }

  /** Elements of kinds nobody knows are dropped, as upstream does. Throws for an element without a kind. */
  static parse(fieldsV1: object): FieldSet {
    return new FieldSet(normalize(fieldsV1 as Fields));
  }

  get isEmpty(): boolean {
    return isEmptyNode(this.fields);
  }

  has(...path: readonly string[]): boolean {
    let node: Fields | undefined = this.fields;
    for (const element of path) node = node?.[element];
    return path.length > 0 && isMember(node);
  }

  union(other: FieldSet): FieldSet {
    return new FieldSet(unionFields(this.fields, other.fields));
  }

  intersection(other: FieldSet): FieldSet {
    return new FieldSet(intersectFields(this.fields, other.fields));
  }

  difference(other: FieldSet): FieldSet {
    return new FieldSet(differenceFields(this.fields, other.fields));
  }

  /** A path of `other` takes everything below it along. */
  recursiveDifference(other: FieldSet): FieldSet {
    return new FieldSet(recursiveDifferenceFields(this.fields, other.fields));
  }

  equals(other: FieldSet): boolean {
    return equalFields(this.fields, other.fields);
  }

  paths(): Iterable<readonly string[]> {
    return pathsOf(this.fields);
  }

  toString(): string {
    return [...this.paths()].map(formatPath).join('\n');
  }
}

function normalize(node: Fields): Fields {
  const out: Record<string, Fields> = {};
  for (const k in node) {
    const child = node[k];
    if (typeof child !== 'object' || child === null) throw new Error(`not a field set: ${JSON.stringify(child)}`);
    if (k === '.') out[k] = LEAF;
    else if (k[1] !== ':') throw new Error(`missing colon: ${k}`);
    else if ('fkvi'.includes(k[0] as string)) out[k] = normalize(child);
  }
  return out;
}
