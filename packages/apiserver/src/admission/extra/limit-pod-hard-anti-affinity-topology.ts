import type { AdmissionPlugin } from '@coxswain/sdk';
import { isFor, refuse } from '../admission-env.js';
import { AdmissionOrder } from '../order.js';

const HOSTNAME = 'kubernetes.io/hostname';

/** A pod can keep others off its node, not off its whole zone. */
export function limitPodHardAntiAffinityTopology(): AdmissionPlugin {
  return {
    name: 'LimitPodHardAntiAffinityTopology',
    order: AdmissionOrder.limitPodHardAntiAffinityTopology,
    handles: (request) => (request.operation === 'CREATE' || request.operation === 'UPDATE') && isFor(request, '', 'pods'),
    validate(request) {
      const terms = (request.object?.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []) as { topologyKey?: string }[];
      const wider = terms.find(({ topologyKey }) => topologyKey !== HOSTNAME);
      if (wider)
        refuse(request, `affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey ${wider.topologyKey ?? ''} but only key ${HOSTNAME} is allowed`);
    },
  };
}
