import type { CronJob, CronJobStatus, Job, KubeObject } from '@coxswain/api';
import { formatTime, hasStatusCause, isAlreadyExists, isNotFound, parseTime, semanticEqual } from '@coxswain/apimachinery';
import { Resources, splitKey } from '@coxswain/client';
import { jobFinished } from '../job/job-controller.js';
import { createdAt } from '../pods/pod-state.js';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';
import { controllerRef, isControlledBy, ownerKey } from '../runtime/owners.js';
import { dueTimes, jobNameFor, scheduledAt } from './cronjob-decision.js';

const CRON_JOB = { apiVersion: 'batch/v1', kind: 'CronJob' } as const;
const SCHEDULED_AT = 'batch.kubernetes.io/cronjob-scheduled-timestamp';

/** Makes Jobs at the times of a schedule. */
export function cronJobController({ client, informers, clock, events }: ControllerContext): Controller {
  const cronJobs = informers.informer(Resources.cronJobs);
  const jobs = informers.informer(Resources.jobs);
  const key = (c: { metadata: { namespace?: string; name?: string } }) => `${c.metadata.namespace}/${c.metadata.name}`;

  async function remove(cj: CronJob, job: Job, signal: AbortSignal): Promise<void> {
    try {
      await client.api.jobs(job.metadata.namespace).delete(job.metadata.name ?? '', { propagationPolicy: 'Background', signal });
      events(cj as KubeObject, 'Normal', 'SuccessfulDelete', `Deleted job ${job.metadata.name ?? ''}`);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** Finished jobs beyond the history limits, the oldest first. */
  async function prune(cj: CronJob, own: readonly Job[], signal: AbortSignal): Promise<void> {
    for (const [type, limit] of [
      ['Complete', cj.spec?.successfulJobsHistoryLimit ?? 3],
      ['Failed', cj.spec?.failedJobsHistoryLimit ?? 1],
    ] as const) {
      const finished = own.filter((j) => jobFinished(j)?.type === type).sort((a, b) => createdAt(a) - createdAt(b));
      for (const job of finished.slice(0, Math.max(0, finished.length - limit))) await remove(cj, job, signal);
    }
  }

  /** Active list and last success, from the jobs there are. */
  function bookkeeping(cj: CronJob, own: readonly Job[]): CronJobStatus {
    const status: CronJobStatus = { ...cj.status };
    const listed = new Set((cj.status?.active ?? []).map((r) => r.uid));
    const active = own.filter((j) => !jobFinished(j) && !j.metadata.deletionTimestamp);
    let last = parseTime(cj.status?.lastSuccessfulTime ?? '') ?? 0;
    for (const job of own) {
      const end = jobFinished(job);
      if (!end) continue;
      if (listed.has(job.metadata.uid))
        events(cj as KubeObject, 'Normal', 'SawCompletedJob', `Saw completed job: ${job.metadata.name ?? ''}, condition: ${end.type}`);
      const at = parseTime(job.status?.completionTime ?? '');
      if (end.type === 'Complete' && at !== undefined && at > last) {
        last = at;
        status.lastSuccessfulTime = formatTime(at);
      }
    }
    status.active = active.map((j) => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      namespace: j.metadata.namespace ?? '',
      name: j.metadata.name ?? '',
      uid: j.metadata.uid ?? '',
      resourceVersion: j.metadata.resourceVersion ?? '',
    }));
    if (status.active.length === 0) delete status.active;
    return status;
  }

  return {
    name: 'cronjob',
    watch(queue) {
      const ofJob = (j: Job) => {
        const k = ownerKey(j as KubeObject, CRON_JOB);
        if (k) queue.add(k);
      };
      const undo = [
        cronJobs.addHandler({ add: (c) => queue.add(key(c)), update: (_o, c) => queue.add(key(c)) }),
        jobs.addHandler({ add: ofJob, update: (_o, j) => ofJob(j), delete: ofJob }),
      ];
      return () => undo.forEach((f) => f());
    },
    async reconcile(at, signal) {
      const { namespace, name } = splitKey(at);
      const cj = cronJobs.lister.get(name, namespace);
      if (!cj || cj.metadata.deletionTimestamp) return undefined;
      const own = jobs.lister.list({ namespace }).filter((j) => isControlledBy(j, cj));
      await prune(cj, own, signal);
      const status = bookkeeping(cj, own);
      const write = async () => {
        if (!semanticEqual(status, cj.status)) await client.api.cronJobs(namespace).updateStatus({ ...cj, status }, { signal });
      };
      let times: ReturnType<typeof dueTimes>;
      try {
        times = dueTimes(cj, clock.now());
      } catch (error) {
        events(cj as KubeObject, 'Warning', cj.spec?.timeZone ? 'UnknownTimeZone' : 'UnparseableSchedule', (error as Error).message);
        await write();
        return undefined;
      }
      const { due, missed, next } = times;
      const again = next === undefined ? undefined : { requeueAfterMs: Math.max(1, next - clock.now()) + 50 };
      if (cj.spec?.suspend || due === undefined) {
        await write();
        return cj.spec?.suspend ? undefined : again;
      }
      if (missed > 100)
        events(
          cj as KubeObject,
          'Warning',
          'TooManyMissedTimes',
          'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew',
        );
      const active = own.filter((j) => !jobFinished(j));
      const jobName = jobNameFor(cj, due);
      if (active.some((j) => j.metadata.name === jobName) || own.some((j) => j.metadata.name === jobName)) {
        status.lastScheduleTime = formatTime(due);
        await write();
        return again;
      }
      if (cj.spec?.concurrencyPolicy === 'Forbid' && active.length > 0) {
        events(cj as KubeObject, 'Normal', 'JobAlreadyActive', 'Not starting job because prior execution is running and concurrency policy is Forbid');
        await write();
        return again;
      }
      if (cj.spec?.concurrencyPolicy === 'Replace') for (const j of active) await remove(cj, j, signal);
      const template = cj.spec?.jobTemplate;
      const job: Job = {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: {
          name: jobName,
          namespace,
          labels: { ...template?.metadata?.labels },
          annotations: { ...template?.metadata?.annotations, [SCHEDULED_AT]: scheduledAt(cj, due) },
          ownerReferences: [controllerRef(cj as KubeObject, CRON_JOB)],
        },
        ...(template?.spec && { spec: structuredClone(template.spec) }),
      };
      try {
        const made = await client.api.jobs(namespace).create(job, { signal });
        events(cj as KubeObject, 'Normal', 'SuccessfulCreate', `Created job ${jobName}`);
        status.active = [
          ...(status.active ?? []),
          { apiVersion: 'batch/v1', kind: 'Job', namespace, name: jobName, uid: made.metadata.uid ?? '', resourceVersion: made.metadata.resourceVersion ?? '' },
        ];
      } catch (error) {
        if (hasStatusCause(error, 'NamespaceTerminating')) return undefined;
        if (!isAlreadyExists(error)) {
          events(cj as KubeObject, 'Warning', 'FailedCreate', `Error creating job: ${(error as Error).message}`);
          throw error;
        }
      }
      status.lastScheduleTime = formatTime(due);
      await write();
      return again;
    },
  };
}
