import type { Pod } from '../generated/types.js';
import { parseQuantity } from '../quantity/quantity.js';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

const COUNTED = ['cpu', 'memory'];

/** Guaranteed: every container limits CPU and memory and requests just that. BestEffort: none says anything. */
export function qosClass({ spec }: Pod): QosClass {
  const sets = spec?.resources ? [spec.resources] : [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(({ resources }) => resources ?? {});
  let any = false;
  let guaranteed = true;
  for (const { requests = {}, limits = {} } of sets) {
    for (const name of COUNTED) {
      const request = amount(requests[name]);
      const limit = amount(limits[name]);
      if (request > 0n || limit > 0n) any = true;
      if (limit === 0n || (request !== limit && requests[name] !== undefined)) guaranteed = false;
    }
  }
  if (!any) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}

const amount = (quantity: string | undefined): bigint => (quantity === undefined ? 0n : parseQuantity(quantity).nanos);
