import { optionKey } from '@coxswain/command';

/** Upstream's flags of how many objects a controller works on at once, and the controller. */
export const concurrencyFlags: Readonly<Record<string, { readonly controller: string; readonly byDefault: number }>> = {
  'concurrent-cron-job-syncs': { controller: 'cronjob-controller', byDefault: 5 },
  'concurrent-daemonset-syncs': { controller: 'daemonset-controller', byDefault: 5 },
  'concurrent-deployment-syncs': { controller: 'deployment-controller', byDefault: 5 },
  'concurrent-endpoint-syncs': { controller: 'endpoints-controller', byDefault: 5 },
  'concurrent-ephemeralvolume-syncs': { controller: 'ephemeral-volume-controller', byDefault: 5 },
  'concurrent-gc-syncs': { controller: 'garbage-collector-controller', byDefault: 20 },
  'concurrent-horizontal-pod-autoscaler-syncs': { controller: 'horizontal-pod-autoscaler-controller', byDefault: 5 },
  'concurrent-job-syncs': { controller: 'job-controller', byDefault: 5 },
  'concurrent-namespace-syncs': { controller: 'namespace-controller', byDefault: 10 },
  'concurrent-rc-syncs': { controller: 'replicationcontroller-controller', byDefault: 5 },
  'concurrent-replicaset-syncs': { controller: 'replicaset-controller', byDefault: 5 },
  'concurrent-resource-claim-syncs': { controller: 'resourceclaim-controller', byDefault: 10 },
  'concurrent-resource-quota-syncs': { controller: 'resourcequota-controller', byDefault: 5 },
  'concurrent-service-endpoint-syncs': { controller: 'endpointslice-controller', byDefault: 5 },
  'concurrent-serviceaccount-token-syncs': { controller: 'serviceaccount-token-controller', byDefault: 5 },
  'concurrent-statefulset-syncs': { controller: 'statefulset-controller', byDefault: 5 },
  'concurrent-ttl-after-finished-syncs': { controller: 'ttl-after-finished-controller', byDefault: 5 },
  'mirroring-concurrent-service-endpoint-syncs': { controller: 'endpointslice-mirroring-controller', byDefault: 5 },
};

/** Controllers whose flag was given; at least one object at a time. */
export function concurrencyOf(flags: Readonly<Record<string, unknown>>): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(concurrencyFlags).flatMap(([flag, { controller }]) => {
      const value = flags[optionKey(flag)];
      return typeof value === 'number' ? [[controller, Math.max(1, value)]] : [];
    }),
  );
}
