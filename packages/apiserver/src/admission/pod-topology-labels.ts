import type { KubeObject } from '@coxswain/api';
import type { AdmissionPlugin } from '@coxswain/sdk';
import { isFor, lookup } from './admission-env.js';
import type { AdmissionEnv } from './admission-env.js';
import { AdmissionOrder } from './order.js';

const TOPOLOGY = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];

/** A pod is told where it runs: the zone and region of its node become labels of its own, which the downward API can show it. */
export function podTopologyLabels(env: AdmissionEnv): AdmissionPlugin {
  return {
    name: 'PodTopologyLabels',
    order: AdmissionOrder.podTopologyLabels,
    handles: (request) => request.operation === 'CREATE' && (isFor(request, '', 'pods', 'binding') || isFor(request, '', 'pods')),
    admit({ object, subresource }) {
      if (!object) return;
      const target = object.target as { readonly kind?: string; readonly name?: string } | undefined;
      const node = subresource === 'binding' ? target?.name : (object.spec?.nodeName as string | undefined);
      // A node that is not there (yet) is no reason to refuse a pod.
      const labels = node && lookup(env, '', 'nodes', '', node)?.metadata.labels;
      if (labels) label(object, labels);
    },
  };
}

function label({ metadata }: KubeObject, labels: Readonly<Record<string, string>>): void {
  const known = TOPOLOGY.flatMap((key) => (labels[key] === undefined ? [] : [[key, labels[key]]]));
  if (known.length > 0) metadata.labels = { ...metadata.labels, ...Object.fromEntries(known) };
}
