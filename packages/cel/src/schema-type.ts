import type { FieldSchema, SchemaLookup, StructSchema, TypeSchema } from '@coxswain/api';
import type { Environment } from '@marcbachmann/cel-js';
import { escapeName } from './escape.js';

/**
 * Makes the types of a schema known to an environment: each object by its path from `name` (`v1.Pod.spec.containers.@idx`, `@elem` for
 * values of maps). Returns the name of the whole. What cannot be told is `dyn`, which fits everything: schemas that hold themselves
 * among it, from where they begin anew.
 */
export function declareType(env: Environment, name: string, schema: TypeSchema, lookup: SchemaLookup): string {
  return new Declarer(env, lookup).type(schema, name);
}

/** Makes the type of an object known; values of it may be null. */
export function declareObject(env: Environment, name: string, fields: Record<string, string>): void {
  env.registerType(name, { fields });
  // The interpreter takes no operators for names with other characters: elements of lists and maps, which are never null.
  if (!/^[\w.]+$/.test(name)) return;
  // The other way round, and `!=`, come with it.
  env.registerOperator(`${name} == null`, (object: unknown) => object === null);
}

class Declarer {
  /** Structs by name that the one at hand lies in. */
  readonly #within = new Set<string>();

  constructor(
    readonly env: Environment,
    readonly lookup: SchemaLookup,
  ) {}

  type(schema: TypeSchema, path: string): string {
    switch (schema.kind) {
      case 'string':
        return 'string';
      case 'boolean':
        return 'bool';
      case 'integer':
        return 'int';
      case 'number':
        return 'double';
      case 'list':
        return `list<${this.type(schema.items, `${path}.@idx`)}>`;
      case 'map':
        return `map<string, ${this.type(schema.values, `${path}.@elem`)}>`;
      case 'ref':
        return this.#named(schema.name, path);
      case 'struct':
        return this.#object(schema, path);
      default:
        return 'dyn';
    }
  }

  #named(name: string, path: string): string {
    if (this.#within.has(name)) return 'dyn';
    this.#within.add(name);
    const type = this.#object(this.lookup(name), path);
    this.#within.delete(name);
    return type;
  }

  #object({ fields, preserveUnknown, additional }: StructSchema, path: string): string {
    const entries = Object.entries(fields);
    if (preserveUnknown || additional || entries.length === 0) return 'dyn';
    declareObject(this.env, path, Object.fromEntries(entries.flatMap(([name, field]) => this.#field(name, field, path))));
    return path;
  }

  /** Under the name expressions may write, and under its own: some that are reserved words can be selected all the same. */
  #field(name: string, { type }: FieldSchema, path: string): [string, string][] {
    const of = this.type(type, `${path}.${name}`);
    const escaped = escapeName(name);
    return escaped === undefined || escaped === name
      ? [[name, of]]
      : [
          [name, of],
          [escaped, of],
        ];
  }
}
