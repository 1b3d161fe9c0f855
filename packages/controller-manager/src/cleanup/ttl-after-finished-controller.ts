import type { Job } from '@coxswain/api';
import { isNotFound, parseTime } from '@coxswain/apimachinery';
import { Resources, splitKey } from '@coxswain/client';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';

/** When the job may go (milliseconds since the epoch); undefined: it has no TTL, or is not finished. */
export function expiry(job: Job): number | undefined {
  const ttl = job.spec?.ttlSecondsAfterFinished;
  if (ttl === undefined || ttl === null || job.metadata.deletionTimestamp) return undefined;
  const end = job.status?.conditions?.find((c) => (c.type === 'Complete' || c.type === 'Failed') && c.status === 'True');
  const at = end && parseTime(end.lastTransitionTime ?? '');
  return at === undefined ? undefined : at + ttl * 1000;
}

/** Deletes finished jobs after their `ttlSecondsAfterFinished`. */
export function ttlAfterFinishedController({ client, informers, clock }: ControllerContext): Controller {
  const jobs = informers.informer(Resources.jobs);
  const key = (j: Job) => `${j.metadata.namespace}/${j.metadata.name}`;
  return {
    name: 'ttl-after-finished',
    watch: (queue) =>
      jobs.addHandler({ add: (j) => expiry(j) !== undefined && queue.add(key(j)), update: (_o, j) => expiry(j) !== undefined && queue.add(key(j)) }),
    async reconcile(at, signal) {
      const { namespace, name } = splitKey(at);
      const cached = jobs.lister.get(name, namespace);
      const due = cached && expiry(cached);
      if (due === undefined) return undefined;
      if (due > clock.now()) return { requeueAfterMs: due - clock.now() };
      try {
        // The TTL may have been changed a moment ago.
        const fresh = await client.api.jobs(namespace).get(name, { signal });
        const now = expiry(fresh);
        if (now === undefined || now > clock.now()) return now === undefined ? undefined : { requeueAfterMs: now - clock.now() };
        await client.api
          .jobs(namespace)
          .delete(name, { propagationPolicy: 'Foreground', signal, ...(fresh.metadata.uid && { preconditions: { uid: fresh.metadata.uid } }) });
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      return undefined;
    },
  };
}
