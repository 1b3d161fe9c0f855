import type { KubeObject, ResourceStrategy, Subresource } from '@coxswain/api';
import type { ServedResource } from '../registry/served-resource.js';

type PartSubresource = Extract<Subresource, { type: 'status' | 'part' }>;

/** The rules of a write to the resource or to a part of it. A part without defaulting of its own gets the resource's. */
export function strategyOf(served: ServedResource, sub: PartSubresource | undefined): ResourceStrategy {
  const { strategy } = served.definition;
  if (!sub) return strategy;
  const own = sub.strategy ?? {};
  return own.default || !strategy.default ? own : { ...own, default: strategy.default };
}

/** What a write to a subresource leaves of the stored object. */
export function mergeWritten(sub: PartSubresource | undefined, stored: KubeObject, written: KubeObject): KubeObject {
  if (!sub) return written;
  if (sub.type === 'part') return sub.merge(stored, written);
  // Status, and the metadata: what may change of that is for the strategy to say.
  const { status: _old, ...rest } = stored;
  return 'status' in written ? { ...rest, metadata: written.metadata, status: written.status } : { ...rest, metadata: written.metadata };
}
