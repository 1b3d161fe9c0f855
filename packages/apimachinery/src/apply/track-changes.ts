import type { KubeObject } from '@coxswain/api';
import { compareObjects, type Delta } from './compare.js';
import { compileObject } from './compiled-type.js';
import { isEmptyNode, recursiveDifferenceFields } from './fields.js';
import type { FieldManagement } from './types.js';

/** The difference between two objects in each version a manager wrote in, computed when first asked for. */
export class VersionedDelta {
  readonly #deltas = new Map<string, Delta | undefined | 'gone'>();

  constructor(
    private readonly management: FieldManagement,
    private readonly old: KubeObject,
    private readonly object: KubeObject,
  ) {}

  /** 'gone': the version is no longer served. */
  at(apiVersion: string): Delta | undefined | 'gone' {
    const { convert } = this.management;
    const version = convert ? apiVersion : this.management.apiVersion;
    if (!this.#deltas.has(version)) this.#deltas.set(version, this.#compute(version));
    return this.#deltas.get(version);
  }

  #compute(version: string): Delta | undefined | 'gone' {
    const { schema, lookup, apiVersion, convert, resetFields } = this.management;
    let delta: Delta | undefined;
    if (version === apiVersion) delta = compareObjects(compileObject(schema, lookup).tracked, this.old, this.object);
    else {
      const object = convert?.(this.object, version);
      const old = convert?.(this.old, version);
      if (!object || !old) return 'gone';
      delta = compareObjects(compileObject(object.schema, lookup).tracked, old.object, object.object);
    }
    if (!delta || !resetFields) return delta;
    const set = delta.set && recursiveDifferenceFields(delta.set, resetFields.fields);
    const removed = delta.removed && recursiveDifferenceFields(delta.removed, resetFields.fields);
    const some = { set: set && !isEmptyNode(set) ? set : undefined, removed: removed && !isEmptyNode(removed) ? removed : undefined };
    return some.set || some.removed ? some : undefined;
  }
}

export const nothingOf = (object: KubeObject): KubeObject => ({ apiVersion: object.apiVersion, kind: object.kind, metadata: {} });
