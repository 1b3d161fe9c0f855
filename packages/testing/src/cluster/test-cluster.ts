import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryStore } from '@coxswain/apiserver/testing';
import type { KubeClient } from '@coxswain/client';
import { createHost, type Host } from '@coxswain/host';
import { kubeconfigYaml } from '@coxswain/pki';
import { PluginPoint, silentLogger, StateStore } from '@coxswain/sdk';
import { ContainerModule } from 'inversify';
import { Activity } from '../clock/activity.js';
import { type ClusterClock, realTime, type TestTime, virtualTime } from '../clock/cluster-clock.js';
import { milliseconds, type Span } from '../clock/virtual-clock.js';
import { testCertificates } from './certificates.js';
import { type Made, testComponents } from './components.js';
import { kubeletsOf, type NodePlan, planNodes, type TestClusterOptions } from './options.js';
import { seededRandom } from './seeded-random.js';

export interface EventuallyOptions {
  /** Of the cluster's time. Default five minutes. */
  readonly within?: Span;
}

/** What is left of a type once it is known to be truthy. */
export type Truthy<T> = Exclude<T, false | 0 | '' | null | undefined>;

/** A running cluster. `await using` takes it down. */
export interface TestCluster extends AsyncDisposable {
  /** Speaks to the API server in this process, as an administrator. */
  readonly client: KubeClient;
  /** The same as another user; RBAC decides what it may. */
  clientAs(name: string, ...groups: string[]): KubeClient;
  readonly clock: ClusterClock;
  /** `https://127.0.0.1:…`, with a certificate of the kubeconfig's authority. */
  readonly url: string;
  /** The administrator's kubeconfig, for kubectl and every other client: the file's path, and its text. */
  readonly kubeconfigPath: string;
  readonly kubeconfig: string;
  /**
   * Lets time pass until `check` returns something truthy, and returns that. A check that throws counts as not yet. Rejects when it
   * does not happen `within` the span, with what the last check said.
   */
  eventually<T>(check: () => T | Promise<T>, options?: EventuallyOptions): Promise<Truthy<T>>;
  /** The node dies without a word: its lease runs out. */
  killNode(name: string): Promise<void>;
  /** It comes back with nothing running on it. */
  reviveNode(name: string): Promise<void>;
  stop(): Promise<void>;
}

const START_LIMIT_MS = 10 * 60_000;
const STOP_LIMIT_MS = 60 * 60_000;

/**
 * Start a cluster in this process: the real API server on a store in memory, the real scheduler and controllers, and simulated nodes.
 * Resolves when its nodes are Ready and pods can be created. Rejects with what failed, having taken down what had started.
 */
export async function startTestCluster(options: TestClusterOptions = {}): Promise<TestCluster> {
  const nodes = planNodes(options);
  const activity = new Activity();
  const time = options.realTime ? realTime(activity) : virtualTime(options.startTime ?? Date.now(), activity);
  const { clock } = time;
  const dir = await mkdtemp(join(tmpdir(), 'coxswain-test-'));
  let host: Host | undefined;
  try {
    const certificates = await testCertificates(clock.now(), kubeletsOf(options, nodes) === 'real' ? nodes.map((n) => n.address) : []);
    const adminToken = randomUUID();
    const { recipes, made } = testComponents({ options, nodes, certificates, adminToken, clock, activity, dir });
    const ownStore = options.plugins?.some((use) => use.plugin.point === PluginPoint.store);
    host = await createHost({
      plugins: options.plugins ?? [],
      modules: ownStore
        ? []
        : [
            new ContainerModule(
              ({ bind }) =>
                void bind(StateStore)
                  .toDynamicValue(() => new MemoryStore(clock))
                  .inSingletonScope(),
            ),
          ],
      components: recipes,
      clock,
      random: seededRandom(options.seed ?? 1),
      logger: options.logger ?? silentLogger,
    });
    const starting = host;
    await time.during(starting.start(), START_LIMIT_MS, () => new Error('the cluster did not start within ten minutes of its time'));
    const url = `https://127.0.0.1:${made.server?.port}`;
    const kubeconfig = kubeconfigYaml({
      name: 'test',
      cluster: { server: url, certificateAuthority: certificates.ca.cert },
      user: { token: adminToken },
    });
    const kubeconfigPath = join(dir, 'kubeconfig');
    await writeFile(kubeconfigPath, kubeconfig, { mode: 0o600 });
    const cluster = new RunningTestCluster(time, starting, made, dir, url, kubeconfig, kubeconfigPath);
    await cluster.ready(nodes);
    return cluster;
  } catch (error) {
    const failures: unknown[] = [];
    if (host) await time.during(host.stop(), STOP_LIMIT_MS, () => new Error('stopping takes too long')).catch((reason: unknown) => failures.push(reason));
    await rm(dir, { recursive: true, force: true });
    throw failures.length === 0 ? error : new AggregateError([error, ...failures], (error as Error).message);
  }
}

class RunningTestCluster implements TestCluster {
  readonly client: KubeClient;
  #stopping: Promise<void> | undefined;
  // A test that ends without taking its cluster down leaves no folder behind.
  readonly #removeDir = () => rmSync(this.dir, { recursive: true, force: true });

  constructor(
    private readonly time: TestTime,
    private readonly host: Host,
    private readonly made: Made,
    private readonly dir: string,
    readonly url: string,
    readonly kubeconfig: string,
    readonly kubeconfigPath: string,
  ) {
    this.client = made.clientAs('kubernetes-admin', 'system:masters');
    process.once('exit', this.#removeDir);
  }

  get clock(): ClusterClock {
    return this.time.clock;
  }

  clientAs(name: string, ...groups: string[]): KubeClient {
    return this.made.clientAs(name, ...groups);
  }

  async eventually<T>(check: () => T | Promise<T>, { within = '5m' }: EventuallyOptions = {}): Promise<Truthy<T>> {
    const { clock } = this;
    const limit = milliseconds(within);
    const until = clock.monotonic() + limit;
    let last: unknown;
    await clock.settle();
    for (;;) {
      try {
        const value = await check();
        if (value) return value as Truthy<T>;
        last = undefined;
      } catch (error) {
        last = error;
      }
      if (clock.monotonic() >= until) break;
      await this.time.step(until);
    }
    const why = last === undefined ? check.toString() : (last as Error).message;
    throw new Error(`did not happen within ${limit / 1000} s of the cluster's time: ${why}`, last === undefined ? {} : { cause: last });
  }

  /** Nodes take pods, and pods of the default namespace have their account. */
  async ready(plans: readonly NodePlan[]): Promise<void> {
    await this.eventually(async () => {
      const { items } = await this.client.api.nodes().list();
      const fit = items.filter(
        (n) =>
          n.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') && !n.spec?.taints?.some((t) => t.key.startsWith('node.kubernetes.io/')),
      );
      return fit.length === plans.length && (await this.client.api.serviceAccounts('default').get('default'));
    });
  }

  async killNode(name: string): Promise<void> {
    await this.#nodes.kill(name);
    await this.clock.settle();
  }

  reviveNode(name: string): Promise<void> {
    return this.time.during(this.#nodes.revive(name), START_LIMIT_MS, () => new Error(`node ${name} does not come back`));
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  get #nodes() {
    const { nodes } = this.made;
    if (!nodes) throw new Error('the cluster has no nodes');
    return nodes;
  }

  async #stop(): Promise<void> {
    await this.client.close();
    try {
      await this.time.during(this.host.stop(), STOP_LIMIT_MS, () => new Error('the cluster did not stop within an hour of its time'));
    } finally {
      process.off('exit', this.#removeDir);
      await rm(this.dir, { recursive: true, force: true });
    }
  }
}
