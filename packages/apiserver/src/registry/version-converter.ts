import type { KubeObject } from '@coxswain/api';
import type { StoredObject } from '../storage/stored-object.js';

/** Between versions whose conversion takes time (a webhook). What is read through the codec must have been prepared. */
export interface VersionConverter {
  /** Make these readable in the version; undefined: they are. Rejects with an ApiError. */
  prepare(stored: readonly StoredObject[]): Promise<void> | undefined;
  /** The prepared object; throws when it is not. */
  prepared(stored: StoredObject): KubeObject;
  /** An object of this version as it is to be stored. */
  toStorage(object: KubeObject): Promise<KubeObject>;
  convert(object: KubeObject, apiVersion: string): Promise<KubeObject>;
}
