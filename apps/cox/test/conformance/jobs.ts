import { eventually } from '../cluster-fixture.js';
import type { Json } from './api-access.js';
import { type Check, type CheckContext, condition, podSpec, same, truly } from './check.js';

interface JobPod {
  readonly script: string;
  readonly restartPolicy?: 'Never' | 'OnFailure';
  readonly spec?: Json;
}

const job = (c: CheckContext, name: string, spec: Json, { script, restartPolicy = 'Never', spec: pod = {} }: JobPod): Promise<Json> =>
  c.api.post(`${c.batch}/jobs`, {
    metadata: { name, labels: { job: name } },
    spec: { ...spec, template: { metadata: { labels: { job: name } }, spec: { ...podSpec({ command: script, ...pod }), restartPolicy } } },
  });

const ended = (c: CheckContext, name: string, type: 'Complete' | 'Failed', reason: string, withinMs = 60_000) =>
  c
    .until(
      `${c.batch}/jobs/${name}`,
      `${name} to be ${type}`,
      (j) => j.status.conditions?.some((x: Json) => ['Complete', 'Failed'].includes(x.type) && x.status === 'True'),
      withinMs,
    )
    .then((j) => {
      same(condition(j, type)?.reason, reason, `reason of ${type} in ${JSON.stringify(j.status)}`);
      const interim = condition(j, type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget');
      same([interim?.status, interim?.reason], ['True', reason], 'interim condition');
      truly(!j.status.active && !j.status.terminating, `pods after the end: ${JSON.stringify(j.status)}`);
      return j;
    });

const byIndex = (script: string) => `case $JOB_COMPLETION_INDEX in ${script} esac`;
const now = { expression: 'now', everyMinute: '*/1 * * * *' };
const next = () => (60_000 - (Date.now() % 60_000)) / 1000;

const cronJob = (c: CheckContext, name: string, spec: Json, script = 'sleep 300') =>
  c.api.post(`${c.batch}/cronjobs`, {
    metadata: { name, labels: { cron: name } },
    spec: {
      schedule: now.everyMinute,
      jobTemplate: { spec: { template: { metadata: { labels: { cron: name } }, spec: { ...podSpec({ command: script }), restartPolicy: 'OnFailure' } } } },
      ...spec,
    },
  });
const jobsOf = async (c: CheckContext, name: string): Promise<Json[]> =>
  (await c.api.get(`${c.batch}/jobs`)).items.filter((j: Json) => j.metadata.ownerReferences?.[0]?.name === name);

export const checks: Check[] = [
  {
    name: 'Job should run a job to completion when tasks sometimes fail and are locally restarted',
    async run(c) {
      await job(
        c,
        'j',
        { parallelism: 2, completions: 3, backoffLimit: 6 },
        {
          restartPolicy: 'OnFailure',
          script: 'if [ -e /data/foo ]; then exit 0; else touch /data/foo; exit 1; fi',
          spec: { volumes: [{ name: 'data', emptyDir: {} }], container: { volumeMounts: [{ name: 'data', mountPath: '/data' }] } },
        },
      );
      const done = await ended(c, 'j', 'Complete', 'CompletionsReached', 90_000);
      same(done.status.succeeded, 3, 'succeeded');
      same(
        (await c.pods('job=j')).filter((p) => p.status.phase === 'Succeeded' && p.status.containerStatuses[0].restartCount === 1).length,
        3,
        'restarted pods',
      );
      truly(done.status.completionTime, 'no completionTime');
    },
  },
  {
    name: 'Job should adopt matching orphans and release non-matching pods',
    async run(c) {
      const made = await job(c, 'j', { parallelism: 2, completions: 2 }, { script: 'sleep 3000' });
      await eventually('two pods', async () => same((await c.pods('job=j')).length, 2, 'pods'));
      const [first] = await c.pods('job=j');
      const at = `${c.core}/pods/${first.metadata.name}`;
      await c.api.change(at, (p) => {
        p.metadata.ownerReferences = undefined;
      });
      await c.until(at, 're-adoption', (p) => p.metadata.ownerReferences?.[0]?.uid === made.metadata.uid);
      await c.api.change(at, (p) => {
        p.metadata.labels = undefined;
      });
      await c.until(at, 'release', (p) => !p.metadata.ownerReferences?.length);
    },
  },
  {
    name: 'Job should allow to use a pod failure policy to ignore failure matching on DisruptionTarget condition',
    async run(c) {
      const rules = [{ action: 'Ignore', onExitCodes: { operator: 'In', values: [137] } }];
      await job(
        c,
        'j',
        { parallelism: 2, completions: 2, completionMode: 'Indexed', backoffLimit: 0, podFailurePolicy: { rules } },
        {
          script: `f=/data/m-$JOB_COMPLETION_INDEX; if [ -e $f ]; then exit 0; fi; touch $f; sleep 10000`,
          spec: {
            volumes: [{ name: 'data', hostPath: { path: `/tmp/conf-${c.ns}`, type: 'DirectoryOrCreate' } }],
            container: { volumeMounts: [{ name: 'data', mountPath: '/data' }] },
          },
        },
      );
      const { rmSync } = await import('node:fs');
      c.onEnd(async () => rmSync(`/tmp/conf-${c.ns}`, { recursive: true, force: true }));
      await c.until(`${c.batch}/jobs/j`, 'two ready', (j) => j.status.ready === 2);
      const pods = await c.pods('job=j');
      using watch = c.api.watch(`${c.core}/pods`, 'labelSelector=job%3Dj');
      for (const p of pods) {
        await c.exec(p.metadata.name, 'until [ -e /data/m-$JOB_COMPLETION_INDEX ]; do sleep 0.1; done');
        await c.api.post(`${c.core}/pods/${p.metadata.name}/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: p.metadata.name } });
        await watch.until(
          'DisruptionTarget',
          (e) => e.object.metadata.name === p.metadata.name && condition(e.object, 'DisruptionTarget')?.reason === 'EvictionByEvictionAPI',
        );
      }
      const done = await ended(c, 'j', 'Complete', 'CompletionsReached');
      same([done.status.failed ?? 0, done.status.succeeded, done.status.completedIndexes], [0, 2, '0,1'], 'failed, succeeded, indexes');
    },
  },
  {
    name: 'Job should allow to use the pod failure policy on exit code to fail the job early',
    async run(c) {
      const rules = [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } }];
      await job(
        c,
        'j',
        { parallelism: 2, completions: 4, completionMode: 'Indexed', backoffLimit: 6, podFailurePolicy: { rules } },
        { script: byIndex('0) exit 42;; *) sleep 1000;;') },
      );
      const done = await ended(c, 'j', 'Failed', 'PodFailurePolicy');
      truly(/failed with exit code 42 matching FailJob rule at index 0/.test(condition(done, 'Failed').message), condition(done, 'Failed').message);
    },
  },
  {
    name: 'Job should apply changes to a job status',
    async run(c) {
      await job(c, 'j', { parallelism: 2, completions: 4 }, { script: 'sleep 1000' });
      const at = `${c.batch}/jobs/j`;
      await c.until(at, 'two active', (j) => j.status.active === 2);
      const patched = await c.api.patch(`${at}/status`, 'merge', { metadata: { annotations: { patchedstatus: 'true' } }, status: { ready: 2 } });
      same(patched.metadata.annotations.patchedstatus, 'true', 'annotation by way of status');
      const updated = await c.api.change(
        at,
        (j) => {
          j.status.conditions = [...(j.status.conditions ?? []), { type: 'StatusUpdate', status: 'True', reason: 'E2E' }];
        },
        '/status',
      );
      truly(condition(updated, 'StatusUpdate'), 'the updated condition');
      same((await c.api.get(`${at}/status`)).status.startTime, updated.status.startTime, 'start time');
    },
  },
  {
    name: 'Job should delete a job',
    async run(c) {
      await job(c, 'j', { parallelism: 2, completions: 4 }, { script: 'sleep 1000' });
      await c.until(`${c.batch}/jobs/j`, 'two active', (j) => j.status.active === 2);
      await c.api.delete(`${c.batch}/jobs/j`, { propagationPolicy: 'Foreground' });
      await c.gone(`${c.batch}/jobs/j`);
      same((await c.pods('job=j')).length, 0, 'pods left');
    },
  },
  {
    name: 'Job should manage the lifecycle of a job',
    async run(c) {
      await job(c, 'j', { suspend: true, parallelism: 1, completions: 1, backoffLimit: 0 }, { script: 'sleep 1000' });
      const at = `${c.batch}/jobs/j`;
      using watch = c.api.watch(`${c.batch}/jobs`);
      await watch.until('suspension', (e) => condition(e.object, 'Suspended')?.status === 'True');
      same((await c.api.patch(at, 'strategic', { metadata: { labels: { j: 'patched' } } })).metadata.labels.j, 'patched', 'label');
      const updated = await c.api.change(at, (j) => {
        j.spec.suspend = false;
        j.metadata.annotations = { ...j.metadata.annotations, updated: 'true' };
      });
      same(updated.metadata.annotations.updated, 'true', 'annotation');
      await c.until(at, 'its pod', (j) => j.status.active === 1 && condition(j, 'Suspended')?.status === 'False');
      same((await c.api.get('/apis/batch/v1/jobs?labelSelector=j%3Dpatched')).items.length, 1, 'found everywhere');
      await c.api.delete(`${c.batch}/jobs?labelSelector=j%3Dpatched`, { propagationPolicy: 'Background' });
      await watch.until('deletion', (e) => e.type === 'DELETED');
      await eventually('pods to go', async () => same((await c.pods('job=j')).length, 0, 'pods'));
    },
  },
  {
    name: 'Job should mark indexes as failed when the FailIndex action is matched in podFailurePolicy',
    async run(c) {
      const rules = [{ action: 'FailIndex', onExitCodes: { operator: 'In', values: [42] } }];
      await job(
        c,
        'j',
        { parallelism: 2, completions: 2, completionMode: 'Indexed', backoffLimitPerIndex: 1, podFailurePolicy: { rules } },
        { script: byIndex('0) exit 42;; *) exit 0;;') },
      );
      const done = await ended(c, 'j', 'Failed', 'FailedIndexes');
      same([done.status.failedIndexes, done.status.completedIndexes, done.status.failed, done.status.succeeded], ['0', '1', 1, 1], 'indexes');
    },
  },
  {
    name: 'Job should terminate job execution when the number of failed indexes exceeds maxFailedIndexes',
    async run(c) {
      await job(
        c,
        'j',
        { parallelism: 10, completions: 10, completionMode: 'Indexed', backoffLimitPerIndex: 0, maxFailedIndexes: 4 },
        { script: byIndex('[02468]) exit 1;; *) sleep 1000;;') },
      );
      const done = await ended(c, 'j', 'Failed', 'MaxFailedIndexesExceeded');
      // What was stopped counts neither as succeeded nor as a failed index.
      same([done.status.failedIndexes, done.status.completedIndexes ?? '', done.status.succeeded ?? 0], ['0,2,4,6,8', '', 0], 'indexes');
    },
  },
  {
    name: 'Job with backoffLimitPerIndex executes all indexes',
    async run(c) {
      await job(
        c,
        'j',
        { parallelism: 2, completions: 4, completionMode: 'Indexed', backoffLimitPerIndex: 0 },
        { script: byIndex('0|2) exit 1;; *) exit 0;;') },
      );
      const done = await ended(c, 'j', 'Failed', 'FailedIndexes');
      same([done.status.failedIndexes, done.status.completedIndexes, done.status.failed, done.status.succeeded], ['0,2', '1,3', 2, 2], 'indexes');
    },
  },
  {
    name: 'Job with successPolicy should succeeded when all indexes succeeded',
    async run(c) {
      await job(
        c,
        'j',
        { parallelism: 2, completions: 2, completionMode: 'Indexed', successPolicy: { rules: [{ succeededIndexes: '0-1' }] } },
        { script: 'exit 0' },
      );
      const done = await ended(c, 'j', 'Complete', 'SuccessPolicy');
      same(done.status.completedIndexes, '0,1', 'completed indexes');
    },
  },
  {
    name: 'Job with successPolicy succeededCount rule should succeeded even when some indexes remain pending',
    async run(c) {
      await job(
        c,
        'j',
        { parallelism: 2, completions: 5, completionMode: 'Indexed', successPolicy: { rules: [{ succeededCount: 1 }] } },
        { script: byIndex('0) exit 0;; *) sleep 1000;;') },
      );
      const done = await ended(c, 'j', 'Complete', 'SuccessPolicy');
      same(done.status.completedIndexes, '0', 'completed indexes');
    },
  },
  {
    name: 'Job with successPolicy succeededIndexes rule should succeeded even when some indexes remain pending',
    async run(c) {
      await job(
        c,
        'j',
        { parallelism: 2, completions: 2, completionMode: 'Indexed', successPolicy: { rules: [{ succeededIndexes: '0' }] } },
        { script: byIndex('0) exit 0;; *) sleep 1000;;') },
      );
      const done = await ended(c, 'j', 'Complete', 'SuccessPolicy');
      same(done.status.completedIndexes, '0', 'completed indexes');
    },
  },
  {
    name: 'Job backoffLimit, activeDeadlineSeconds, ttlSecondsAfterFinished, elastic parallelism',
    async run(c) {
      await Promise.all([
        (async () => {
          await job(c, 'limit', { backoffLimit: 0 }, { script: 'exit 1' });
          await ended(c, 'limit', 'Failed', 'BackoffLimitExceeded');
        })(),
        (async () => {
          await job(c, 'deadline', { activeDeadlineSeconds: 1 }, { script: 'sleep 1000' });
          await ended(c, 'deadline', 'Failed', 'DeadlineExceeded');
        })(),
        (async () => {
          await job(c, 'ttl', { ttlSecondsAfterFinished: 1 }, { script: 'exit 0' });
          await c.gone(`${c.batch}/jobs/ttl`);
        })(),
        (async () => {
          await job(c, 'elastic', { parallelism: 1, completions: 4, completionMode: 'Indexed' }, { script: 'sleep 1000' });
          await c.until(`${c.batch}/jobs/elastic`, 'one', (j) => j.status.active === 1);
          await c.api.patch(`${c.batch}/jobs/elastic`, 'merge', { spec: { parallelism: 3, completions: 3 } });
          await c.until(`${c.batch}/jobs/elastic`, 'three', (j) => j.status.active === 3);
        })(),
      ]);
    },
  },
  {
    name: 'CronJob API: create, status, patch, watch, collection; suspended ones schedule nothing',
    async run(c) {
      const at = `${c.batch}/cronjobs`;
      await cronJob(c, 'cj', { suspend: true });
      same((await c.api.get('/apis/batch/v1/cronjobs?labelSelector=cron%3Dcj')).items.length, 1, 'found everywhere');
      using watch = c.api.watch(at);
      const patched = await c.api.patch(`${at}/cj`, 'merge', { metadata: { annotations: { patched: 'true' } } });
      same(patched.metadata.annotations.patched, 'true', 'patched');
      await watch.until('the patch', (e) => e.object.metadata.annotations?.patched === 'true');
      await c.api.change(`${at}/cj`, (j) => {
        j.metadata.annotations.updated = 'true';
      });
      const time = '2026-01-01T00:00:00Z';
      const status = await c.api.patch(`${at}/cj/status`, 'merge', {
        metadata: { annotations: { patchedstatus: 'true' } },
        status: { lastScheduleTime: time },
      });
      same([status.status.lastScheduleTime, status.metadata.annotations.patchedstatus], [time, 'true'], 'status patched');
      await c.api.change(
        `${at}/cj`,
        (j) => {
          j.status.lastScheduleTime = '2026-01-02T00:00:00Z';
        },
        '/status',
      );
      same((await c.api.get(`${at}/cj/status`)).status.lastScheduleTime, '2026-01-02T00:00:00Z', 'status updated');
      await new Promise((resolve) => setTimeout(resolve, 1000));
      same((await jobsOf(c, 'cj')).length, 0, 'jobs of a suspended one');
      await c.api.delete(`${at}?labelSelector=cron%3Dcj`);
      await watch.until('deletion', (e) => e.type === 'DELETED');
    },
  },
  {
    // Three in one wait for the minute; a job made by hand is what the policies then meet.
    name: 'CronJob concurrency policies: Allow, Forbid, Replace',
    async run(c) {
      for (const policy of ['Allow', 'Forbid', 'Replace']) {
        const name = policy.toLowerCase();
        const cj = await cronJob(c, name, { concurrencyPolicy: policy });
        await c.api.post(`${c.batch}/jobs`, {
          metadata: {
            name: `${name}-before`,
            ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name, uid: cj.metadata.uid, controller: true }],
          },
          spec: cj.spec.jobTemplate.spec,
        });
      }
      const within = next() * 1000 + 10_000;
      await eventually('two at once', async () => same((await jobsOf(c, 'allow')).length, 2, 'jobs'), within);
      await eventually(
        'the replacement',
        async () => {
          const jobs = await jobsOf(c, 'replace');
          truly(jobs.length === 1 && jobs[0].metadata.name !== 'replace-before', jobs.map((j) => j.metadata.name).join());
        },
        10_000,
      );
      same(
        (await jobsOf(c, 'forbid')).map((j) => j.metadata.name),
        ['forbid-before'],
        'jobs of Forbid',
      );
      const active = (await c.until(`${c.batch}/cronjobs/allow`, 'two active', (j) => j.status.active?.length === 2)).status.active;
      same(active[0].kind, 'Job', 'kind of what is active');
    },
  },
];
