import type { KubeObject, ResourceClaim, ResourceQuota } from '@coxswain/api';
import { claimQuotaUsage, countsForClaim, podOfExtendedClaim, semanticEqual } from '@coxswain/apimachinery';
import { Resources, splitKey, type SharedInformer } from '@coxswain/client';
import type { Controller, ControllerContext, KeyQueue } from '../runtime/controller-context.js';
import { CountedObjects, countedResource } from './counted-objects.js';
import { podAmount, quotaUsage } from './quota-usage.js';

const RESYNC_MS = 5 * 60_000;
const SETTLE_MS = 100;

/** Writes how much of each ResourceQuota is used. What comes in is refused by admission; here it is counted, and given back. */
export function resourceQuotaController(context: ControllerContext): Controller {
  const { client, informers } = context;
  const quotas = informers.informer(Resources.resourceQuotas);
  const pods = informers.informer(Resources.pods);
  const claims = informers.informer(Resources.persistentVolumeClaims);
  const services = informers.informer(Resources.services);
  const deviceClaims = informers.informer(Resources.resourceClaims);
  const classes = informers.informer(Resources.deviceClasses);
  const key = (q: ResourceQuota) => `${q.metadata.namespace}/${q.metadata.name}`;

  let queue: KeyQueue | undefined;
  const lookAgain = (namespace: string | undefined) => {
    for (const q of quotas.lister.list({ namespace })) queue?.addAfter(key(q), SETTLE_MS);
  };
  const counted = new CountedObjects(context, lookAgain);

  async function count(quota: ResourceQuota, signal: AbortSignal): Promise<Record<string, number>> {
    const out: Record<string, number> = {};
    for (const hard of Object.keys(quota.spec?.hard ?? {})) {
      const resource = countedResource(hard);
      if (resource !== undefined) out[resource] ??= await counted.count(resource, quota.metadata.namespace ?? '', signal);
    }
    return out;
  }

  function devicesOf(claim: ResourceClaim): Record<string, string> {
    const owner = podOfExtendedClaim(claim);
    const pod = owner ? pods.lister.get(owner, claim.metadata.namespace) : undefined;
    const ofPod = countsForClaim(pod, claim) ? (name: string) => podAmount(pod, 'requests', name.replace(/^requests\./, '')) : undefined;
    return claimQuotaUsage(claim, { classes: classes.lister.list(), ofPod });
  }

  return {
    name: 'resourcequota',
    watch(to) {
      queue = to;
      const inNamespace = (o: KubeObject) => lookAgain(o.metadata.namespace);
      const undo = [
        quotas.addHandler({ add: (q) => to.add(key(q)), update: (old, q) => !semanticEqual(old.spec, q.spec) && to.add(key(q)) }),
        ...[pods, claims, services, deviceClaims].map((i) =>
          (i as SharedInformer<KubeObject>).addHandler({
            delete: inNamespace,
            update: (old, o) => old.status?.phase !== o.status?.phase && inNamespace(o),
          }),
        ),
      ];
      return () => {
        undo.forEach((f) => f());
        void counted.stop();
      };
    },
    async reconcile(at, signal) {
      const { namespace, name } = splitKey(at);
      const quota = quotas.lister.get(name, namespace);
      if (!quota) return undefined;
      const used = quotaUsage(quota, {
        pods: pods.lister.list({ namespace }),
        claims: claims.lister.list({ namespace }),
        services: services.lister.list({ namespace }),
        counts: await count(quota, signal),
        devices: deviceClaims.lister.list({ namespace }).map(devicesOf),
      });
      const status = { hard: { ...quota.spec?.hard }, used };
      if (!semanticEqual(status, quota.status)) await client.api.resourceQuotas(namespace).updateStatus({ ...quota, status }, { signal });
      return { requeueAfterMs: RESYNC_MS };
    },
  };
}
