import type { AdmissionPlugin } from '@coxswain/sdk';
import { isFor } from '../admission-env.js';
import { AdmissionOrder } from '../order.js';

interface Toleration {
  readonly key?: string;
  readonly operator?: string;
  readonly effect?: string;
}
type Container = { readonly resources?: { readonly requests?: Readonly<Record<string, unknown>> } };

/** Pods that ask for an extended resource tolerate the taint of that name, which keeps others off its nodes. */
export function extendedResourceToleration(): AdmissionPlugin {
  return {
    name: 'ExtendedResourceToleration',
    order: AdmissionOrder.extendedResourceToleration,
    handles: (request) => (request.operation === 'CREATE' || request.operation === 'UPDATE') && isFor(request, '', 'pods'),
    admit({ object }) {
      const spec = object?.spec;
      if (!spec) return;
      const containers = [...((spec.initContainers ?? []) as Container[]), ...((spec.containers ?? []) as Container[])];
      const wanted = new Set(containers.flatMap(({ resources }) => Object.keys(resources?.requests ?? {}).filter(isExtended)));
      const tolerations = (spec.tolerations ?? []) as Toleration[];
      const tolerated = ({ key, operator, effect }: Toleration, resource: string) => key === resource && operator === 'Exists' && effect === 'NoSchedule';
      const added = [...wanted]
        .sort()
        .filter((resource) => !tolerations.some((toleration) => tolerated(toleration, resource)))
        .map((key) => ({ key, operator: 'Exists', effect: 'NoSchedule' }));
      if (added.length > 0) spec.tolerations = [...tolerations, ...added];
    },
  };
}

/** A name with a domain that is not Kubernetes' own. */
function isExtended(name: string): boolean {
  const [domain = '', rest] = name.split('/');
  return rest !== undefined && domain !== 'kubernetes.io' && !domain.endsWith('.kubernetes.io') && !name.startsWith('requests.');
}
