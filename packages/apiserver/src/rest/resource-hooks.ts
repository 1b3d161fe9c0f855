import type { FieldError, KubeObject } from '@coxswain/api';
import type { RequestContext } from '../request/request-context.js';
import type { Companions } from '../storage/resource-storage.js';

/** Something taken for a write that must go back when the write does not happen. */
export interface Allocation {
  readonly companions: Companions;
  release(): void;
}

/** What one resource does beyond its strategy: allocation, special finalizers, expiry. */
export interface ResourceHooks {
  /** After mutating admission, before validation: may change `object`. For a dry run nothing of it is written, and nothing released. */
  beginCreate?(context: RequestContext, object: KubeObject): Promise<Allocation | undefined> | Allocation | undefined;
  beginUpdate?(context: RequestContext, object: KubeObject, old: KubeObject): Promise<Allocation | undefined> | Allocation | undefined;
  /** Beside the strategy's validation, what needs more than the object. Not for subresources. */
  validate?(object: KubeObject, old: KubeObject | undefined): readonly FieldError[];
  /** Why the object of this name is not to be deleted by itself. */
  keeps?(name: string): string | undefined;
  beginDelete?(old: KubeObject): Companions | undefined;
  /** Finalizers that are not in `metadata.finalizers` (a namespace's `spec.finalizers`). */
  holdsDeletion?(object: KubeObject): boolean;
  /** The object has just been marked for deletion: may change it. */
  markDeleted?(object: KubeObject): void;
  /** Objects expire with a lease. */
  readonly expires?: boolean;
}
