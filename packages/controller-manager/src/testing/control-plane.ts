import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Deployment, Pod, ReplicaSet } from '@coxswain/api';
import { startTestServer, type TestServer } from '@coxswain/apiserver/testing';
import type { KubeClient } from '@coxswain/client';
import { Scheduler } from '@coxswain/scheduler';
import { type Logger, silentLogger, systemClock, systemRandom } from '@coxswain/sdk';
import { openLmdbStore } from '@coxswain/store-lmdb';
import { ControllerManager } from '../controller-manager.js';
import { addNode, playKubelet } from './played-nodes.js';

/** How long tests wait for what controllers do. */
export const soon = { timeout: 30_000, interval: 20 };

/** The real API server, store, scheduler and controllers, with two nodes; only the kubelets are played. */
export class ControlPlane {
  /** What a component was not allowed to do: each acts under the roles it has in a real cluster. */
  readonly refused: string[] = [];
  readonly #stops: (() => Promise<unknown>)[] = [];
  #client: KubeClient | undefined;

  async start(): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'cox-control-plane-'));
    this.#stops.push(() => rm(folder, { recursive: true, force: true }));
    const store = await openLmdbStore({ path: join(folder, 'db'), clock: systemClock });
    this.#stops.push(() => store.close());
    // Room for every test's Services.
    const server = await startTestServer({ store, serviceRanges: ['10.96.0.0/16'], nodePorts: { from: 30_000, to: 32_767 } });
    this.#stops.push(async () => server[Symbol.asyncDispose]());
    const client = server.clientAs('admin', 'system:masters');
    this.#client = client;
    this.#stops.push(playKubelet(client));
    await this.#startComponents(server);
    await Promise.all(['n1', 'n2'].map((name) => addNode(client, name)));
  }

  /** May everything. */
  get client(): KubeClient {
    if (!this.#client) throw new Error('the control plane runs inside tests only');
    return this.#client;
  }

  get api(): KubeClient['api'] {
    return this.client.api;
  }

  async rolledOut(name: string): Promise<Deployment> {
    const d = await this.api.deployments('default').get(name);
    const n = d.spec?.replicas;
    expect(d.status).toMatchObject({ observedGeneration: d.metadata.generation, replicas: n, updatedReplicas: n, availableReplicas: n });
    return d;
  }

  async setsOf(app: string): Promise<ReplicaSet[]> {
    return (await this.api.replicaSets('default').list({ labelSelector: `app=${app}` })).items;
  }

  async podsOf(app: string): Promise<Pod[]> {
    return (await this.api.pods('default').list({ labelSelector: `app=${app}` })).items;
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0).reverse()) await stop();
  }

  async #startComponents({ authority, clientAs }: TestServer): Promise<void> {
    const base = { clock: systemClock, random: systemRandom, logger: this.#noting() };
    const manager = new ControllerManager({
      ...base,
      client: clientAs('system:kube-controller-manager'),
      clientFor: (account) => clientAs(`system:serviceaccount:kube-system:${account}`, 'system:serviceaccounts', 'system:serviceaccounts:kube-system'),
      config: { rootCa: authority.cert, allocateNodeCidrs: true, clusterCidrs: ['10.244.0.0/16'] },
    });
    const scheduler = new Scheduler({ ...base, client: clientAs('system:kube-scheduler') });
    for (const component of [manager, scheduler]) {
      await component.start(AbortSignal.timeout(10_000));
      this.#stops.push(() => component.stop(AbortSignal.timeout(2000)));
    }
  }

  #noting(): Logger {
    const note = (_message: string, fields?: Readonly<Record<string, unknown>>) => {
      const text = String((fields?.['err'] as Error | undefined)?.message ?? '');
      if (text.includes('forbidden')) this.refused.push(text);
    };
    const logger: Logger = { ...silentLogger, warn: note, error: note, child: () => logger };
    return logger;
  }
}

/** One for all tests of a file, which also hold that nobody was refused anything. */
export function useControlPlane(): ControlPlane {
  const plane = new ControlPlane();
  beforeAll(() => plane.start());
  afterAll(async () => {
    await plane.stop();
    expect(plane.refused).toEqual([]);
  });
  return plane;
}

/** A pod template of the label `app`. */
export const template = (app: string, image = 'app:1') => ({
  metadata: { labels: { app } },
  spec: { containers: [{ name: 'c', image, ports: [{ name: 'http', containerPort: 80 }] }] },
});

/** One of the namespace `default`, whose pods have the label `app` of its name. */
export const deployment = (name: string, replicas: number): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'default' },
  spec: { replicas, selector: { matchLabels: { app: name } }, template: template(name) },
});
