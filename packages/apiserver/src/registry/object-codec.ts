import type { KubeObject, ResourceDefinition } from '@coxswain/api';
import { formatGroupVersion } from '@coxswain/apimachinery';
import { encodeObject } from '../storage/stored-object.js';
import type { StoredObject } from '../storage/stored-object.js';
import type { VersionConverter } from './version-converter.js';

/** Between what is stored and what one served version shows. */
export class ObjectCodec {
  readonly apiVersion: string;
  /** The stored text is already what this version serves. */
  readonly identical: boolean;
  readonly #storedApiVersion: string;
  readonly #storedKind: string;

  constructor(
    readonly definition: ResourceDefinition,
    /** Makes ready what is stored in other versions. */
    readonly converter?: VersionConverter,
  ) {
    this.apiVersion = formatGroupVersion(definition);
    const stored = definition.storageVersion ?? definition;
    this.#storedApiVersion = formatGroupVersion(stored);
    this.#storedKind = stored.kind;
    this.identical = !converter && !definition.fromStorage && this.#storedApiVersion === this.apiVersion && this.#storedKind === definition.kind;
  }

  /** The one encoding of this revision, newline included. */
  bytes(stored: StoredObject): Buffer {
    return this.identical
      ? stored.bytes
      : stored.encoded(this, (object) => encodeObject(this.#convert(this.converter ? this.converter.prepared(stored) : object)));
  }

  /** Not to be changed by the caller. */
  object(stored: StoredObject): KubeObject {
    return this.identical ? stored.object : this.#convert(this.converter ? this.converter.prepared(stored) : stored.object);
  }

  /** What to write for an object of this version. May share parts with it. */
  toStorage(object: KubeObject): KubeObject {
    if (this.identical) return object;
    const converted = this.definition.toStorage ? this.definition.toStorage(object) : object;
    return { ...converted, kind: this.#storedKind, apiVersion: this.#storedApiVersion };
  }

  #convert(object: KubeObject): KubeObject {
    const converted = this.definition.fromStorage ? this.definition.fromStorage(object) : object;
    const { kind: _kind, apiVersion: _apiVersion, metadata, ...rest } = converted;
    return { kind: this.definition.kind, apiVersion: this.apiVersion, metadata, ...rest };
  }
}
