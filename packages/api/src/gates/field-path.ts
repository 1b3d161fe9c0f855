import type { JsonObject } from '../schema.js';

/** What lies at a path: the struct or map that holds it, and under which name. */
type Visitor = (parent: JsonObject, name: string) => boolean;

/** A path of fields in an object; `name[]` goes through a list, `name{}` through the values of a map. */
export class FieldPath {
  readonly #steps: readonly { readonly name: string; readonly into: 'value' | 'list' | 'map' }[];

  constructor(readonly text: string) {
    this.#steps = text.split('.').map((step) => {
      if (step.endsWith('[]')) return { name: step.slice(0, -2), into: 'list' };
      if (step.endsWith('{}')) return { name: step.slice(0, -2), into: 'map' };
      return { name: step, into: 'value' };
    });
  }

  /** Whether the field is set anywhere. */
  isSet(object: JsonObject): boolean {
    return this.#some(object, 0, () => true);
  }

  /** Takes the field out wherever it is set. */
  clear(object: JsonObject): void {
    this.#some(object, 0, (parent, name) => {
      delete parent[name];
      return false;
    });
  }

  /** Until a visitor says that it has seen enough. */
  #some(object: unknown, depth: number, visit: Visitor): boolean {
    const step = this.#steps[depth];
    if (step === undefined || typeof object !== 'object' || object === null) return false;
    const value = (object as JsonObject)[step.name];
    if (value === undefined || value === null) return false;
    if (depth === this.#steps.length - 1) return visit(object as JsonObject, step.name);
    if (step.into === 'value') return this.#some(value, depth + 1, visit);
    for (const each of step.into === 'list' ? (value as unknown[]) : Object.values(value)) if (this.#some(each, depth + 1, visit)) return true;
    return false;
  }
}
