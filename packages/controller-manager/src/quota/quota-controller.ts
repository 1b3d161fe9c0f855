import type { KubeObject, ResourceQuota } from '@coxswain/api';
import { isNotFound, semanticEqual } from '@coxswain/apimachinery';
import { Resources, splitKey, type ResourceRef, type SharedInformer } from '@coxswain/client';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';
import { quotaUsage } from './quota-usage.js';

const RESYNC_MS = 5 * 60_000;
const SETTLE_MS = 100;

/** Writes how much of each ResourceQuota is used. What comes in is refused by admission; here it is counted, and given back. */
export function resourceQuotaController({ client, informers }: ControllerContext): Controller {
  const quotas = informers.informer(Resources.resourceQuotas);
  const pods = informers.informer(Resources.pods);
  const claims = informers.informer(Resources.persistentVolumeClaims);
  const services = informers.informer(Resources.services);
  const named: Readonly<Record<string, ResourceRef>> = {
    configmaps: Resources.configMaps,
    secrets: Resources.secrets,
    replicationcontrollers: Resources.replicationControllers,
    resourcequotas: Resources.resourceQuotas,
    'deployments.apps': Resources.deployments,
    'replicasets.apps': Resources.replicaSets,
    'statefulsets.apps': Resources.statefulSets,
    'daemonsets.apps': Resources.daemonSets,
    'jobs.batch': Resources.jobs,
    'cronjobs.batch': Resources.cronJobs,
  } as never;
  const key = (q: ResourceQuota) => `${q.metadata.namespace}/${q.metadata.name}`;

  /** Only what a quota names is counted, and by one cheap list: the number of objects is enough. */
  async function count(quota: ResourceQuota, signal: AbortSignal): Promise<Record<string, number>> {
    const out: Record<string, number> = {};
    for (const hard of Object.keys(quota.spec?.hard ?? {})) {
      const name = hard.replace(/^count\//, '');
      const ref = named[name] ?? customRef(name);
      if (!ref || name in out || ['pods', 'services', 'persistentvolumeclaims'].includes(name)) continue;
      try {
        const page = await client.resource<KubeObject>(ref, quota.metadata.namespace).list({ limit: 1, signal });
        out[name] = page.items.length + (page.metadata.remainingItemCount ?? 0);
      } catch (error) {
        if (!isNotFound(error)) throw error;
        out[name] = 0;
      }
    }
    return out;
  }

  return {
    name: 'resourcequota',
    watch(queue) {
      const inNamespace = (o: { metadata: { namespace?: string } }) => {
        for (const q of quotas.lister.list({ namespace: o.metadata.namespace })) queue.addAfter(key(q), SETTLE_MS);
      };
      const undo = [
        quotas.addHandler({ add: (q) => queue.add(key(q)), update: (old, q) => !semanticEqual(old.spec, q.spec) && queue.add(key(q)) }),
        ...[pods, claims, services].map((i) =>
          (i as unknown as SharedInformer<KubeObject>).addHandler({
            delete: inNamespace,
            update: (old, o) => old.status?.phase !== o.status?.phase && inNamespace(o),
          }),
        ),
      ];
      return () => undo.forEach((f) => f());
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
      });
      const status = { hard: { ...quota.spec?.hard }, used };
      if (!semanticEqual(status, quota.status)) await client.api.resourceQuotas(namespace).updateStatus({ ...quota, status }, { signal });
      return { requeueAfterMs: RESYNC_MS };
    },
  };
}

/** `widgets.example.com`: counted in whatever version is asked for first; v1 is the best guess without discovery. */
function customRef(name: string): ResourceRef | undefined {
  const dot = name.indexOf('.');
  return dot === -1 ? undefined : { group: name.slice(dot + 1), version: 'v1', resource: name.slice(0, dot), namespaced: true };
}
