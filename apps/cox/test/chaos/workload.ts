import { readdirSync, readFileSync } from 'node:fs';
import type { KubeClient } from '@coxswain/client';
import { eventually } from '../cluster-fixture.js';
import type { PodObject } from '../pod-object.js';

const image = 'coxswain.local/guestbook:1';

const manifests = (marker: string): string => `
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ port: 80, targetPort: 8080 }] }
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 3
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: web
          image: ${image}
          args: [httpd, -f, -p, '8080', -h, /www/front]
          readinessProbe: { exec: { command: ['true'] }, periodSeconds: 2, timeoutSeconds: 10 }
          livenessProbe: { httpGet: { port: 8080 }, periodSeconds: 2, timeoutSeconds: 10, failureThreshold: 10 }
---
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: db }
spec:
  serviceName: db
  replicas: 2
  selector: { matchLabels: { app: db } }
  template:
    metadata: { labels: { app: db } }
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: db
          image: ${image}
          command: [sh, -c, 'trap "exit 0" TERM; while :; do sleep 1; done', '${marker}-$(NAME)']
          env: [{ name: NAME, valueFrom: { fieldRef: { fieldPath: metadata.name } } }]
---
apiVersion: v1
kind: Pod
metadata: { name: caller, labels: { app: caller } }
spec:
  terminationGracePeriodSeconds: 1
  containers:
    - name: caller
      image: ${image}
      command: [sh, -c, 'while :; do wget -q -T 2 -O /dev/null http://web/ && echo yes || echo no; sleep 1; done']
`;

const job = (n: number): string => `
apiVersion: batch/v1
kind: Job
metadata: { name: job-${n}, labels: { chaos: job } }
spec:
  completions: 2
  parallelism: 2
  backoffLimit: 50
  ttlSecondsAfterFinished: 30
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 1
      containers: [{ name: work, image: '${image}', command: [sh, -c, 'sleep 1; echo done'] }]
`;

const onePodOn = (node: string): string => `
apiVersion: v1
kind: Pod
metadata: { name: one-${node} }
spec:
  nodeName: ${node}
  restartPolicy: Never
  containers: [{ name: one, image: '${image}', command: ['true'], ports: [{ containerPort: 80, hostPort: 18099 }] }]
`;

/** Deployments rolling, Jobs, a StatefulSet, Services being called: what goes on while parts of a cluster are killed. */
export class Workload {
  readonly doubles: string[] = [];
  #rolled = 0;
  #jobs = 0;
  readonly #marker: string;

  constructor(
    private readonly client: () => KubeClient,
    private readonly apply: (yaml: string) => Promise<unknown>,
    readonly namespace: string,
    name: string,
  ) {
    this.#marker = `chaos-${name}`;
  }

  async create(): Promise<void> {
    await this.apply(manifests(this.#marker));
  }

  /** On every node one pod comes and goes. */
  async once(withinMs: number): Promise<void> {
    const { api } = this.client();
    const nodes = (await api.nodes().list()).items.map(({ metadata }) => metadata.name ?? '');
    await this.apply(nodes.map(onePodOn).join('---'));
    await eventually(
      'a pod has run on each node',
      async () => {
        const pods = (await api.pods(this.namespace).list()).items as unknown as PodObject[];
        const ended = pods.filter(({ metadata, status }) => metadata.name.startsWith('one-') && status.phase === 'Succeeded');
        if (ended.length < nodes.length) throw new Error(pods.map(describe).join('\n'));
      },
      withinMs,
    );
    await this.remove(withinMs);
  }

  /** Goes on whatever fails: requests meet servers that are just being killed. */
  async run(signal: AbortSignal): Promise<void> {
    const doubles = setInterval(() => this.#lookForDoubles(), 300);
    try {
      while (!signal.aborted) {
        const version = ++this.#rolled;
        const patch = { spec: { template: { metadata: { annotations: { version: String(version) } } } } };
        const timeout = AbortSignal.timeout(5000);
        await this.client()
          .api.deployments(this.namespace)
          .patch('web', 'merge', patch, { signal: timeout })
          .catch(() => {});
        if (version % 3 === 0) {
          await this.client()
            .api.pods(this.namespace)
            .delete('db-1', { signal: timeout })
            .catch(() => {});
        }
        if (version % 2 === 0) await this.apply(job(++this.#jobs)).catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, 3000));
      }
    } finally {
      clearInterval(doubles);
    }
  }

  /** Two shells of one pod of the StatefulSet at the same time are two pods of it. */
  #lookForDoubles(): void {
    const running = new Map<string, number>();
    for (const pid of readdirSync('/proc')) {
      if (!/^\d+$/.test(pid)) continue;
      try {
        const last = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').at(-2) ?? '';
        // A shell that has just forked looks the same for a moment.
        if (!last.startsWith(`${this.#marker}-db-`) || parentIs(pid, last)) continue;
        running.set(last, (running.get(last) ?? 0) + 1);
      } catch {
        // It ended while we looked.
      }
    }
    for (const [name, count] of running) if (count > 1) this.doubles.push(`${name} runs ${count} times`);
  }

  /** Every pod is as its controller wants it, and the Service answers. */
  async settled(withinMs: number): Promise<void> {
    await eventually(
      'the workload is as it should be',
      async () => {
        const signal = AbortSignal.timeout(10_000);
        const { items } = await this.client().api.pods(this.namespace).list({ signal });
        const pods = items as unknown as (PodObject & { metadata: { labels?: Record<string, string> } })[];
        const ready = (app: string) => pods.filter(({ metadata, status }) => metadata.labels?.['app'] === app && isReady(status));
        const states = pods.filter(({ status }) => status.phase !== 'Succeeded').map(describe);
        const problem = (text: string) => new Error(`${text}\n${states.join('\n')}`);
        for (const [app, count] of [
          ['web', 3],
          ['db', 2],
          ['caller', 1],
        ] as const)
          if (ready(app).length !== count) throw problem(`${ready(app).length} of ${count} pods of ${app} are ready`);
        const leaving = pods.filter(({ metadata }) => metadata.deletionTimestamp);
        if (leaving.length > 0) throw problem('pods are still terminating');
        const jobs = await this.client().api.jobs(this.namespace).list({ signal });
        const open = jobs.items.filter(({ status }) => !status?.completionTime).map(({ metadata }) => metadata.name);
        if (open.length > 0) throw problem(`jobs are not complete: ${open.join()}`);
        const path = `/api/v1/namespaces/${this.namespace}/services/web:80/proxy/`;
        const { status } = await this.client().rest.transport.request({ method: 'GET', path, query: '', headers: {}, signal });
        if (status !== 200) throw problem(`the Service answers ${status}`);
      },
      withinMs,
    );
  }

  /** Until nothing of it is left at the API server. */
  async remove(withinMs: number): Promise<void> {
    const signal = AbortSignal.timeout(withinMs);
    const options = { propagationPolicy: 'Background' as const, signal };
    const { api } = this.client();
    const of = this.namespace;
    for (const collection of [api.deployments(of), api.statefulSets(of), api.jobs(of), api.pods(of)]) await collection.deleteCollection(options);
    await api.services(of).deleteCollection(options);
    await eventually(
      'all pods are gone',
      async () => {
        const { items } = await api.pods(of).list({ signal: AbortSignal.timeout(10_000) });
        if (items.length > 0) throw new Error((items as unknown as PodObject[]).map(describe).join('\n'));
      },
      withinMs,
    );
  }
}

function parentIs(pid: string, last: string): boolean {
  const ppid = /\) \S (\d+)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
  return readFileSync(`/proc/${ppid}/cmdline`, 'utf8').split('\0').at(-2) === last;
}

function isReady(status: PodObject['status']): boolean {
  return (status.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True');
}

function describe({ metadata, spec, status }: PodObject): string {
  const containers = (status?.containerStatuses ?? []).map(({ state, restartCount }) => `${JSON.stringify(state)} ${restartCount}`);
  return `${metadata.name} ${spec.nodeName} ${status?.phase} ${metadata.deletionTimestamp ?? ''} ${containers.join()}`;
}
