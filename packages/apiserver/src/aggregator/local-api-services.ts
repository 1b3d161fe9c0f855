import type { Transport } from '@coxswain/client';
import type { Logger } from '@coxswain/sdk';
import type { ResourceRegistry } from '../registry/resource-registry.js';

const LABEL = 'kube-aggregator.kubernetes.io/automanaged';
const PATH = '/apis/apiregistration.k8s.io/v1/apiservices';
const PRIORITIES: Readonly<Record<string, number>> = {
  '': 18_000,
  apps: 17_800,
  'events.k8s.io': 17_750,
  'authentication.k8s.io': 17_700,
  'authorization.k8s.io': 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  'certificates.k8s.io': 17_300,
  'networking.k8s.io': 17_200,
  policy: 17_100,
  'rbac.authorization.k8s.io': 17_000,
  'storage.k8s.io': 16_800,
  'apiextensions.k8s.io': 16_700,
  'admissionregistration.k8s.io': 16_700,
  'scheduling.k8s.io': 16_600,
  'coordination.k8s.io': 16_500,
  'node.k8s.io': 16_300,
  'discovery.k8s.io': 16_200,
  'flowcontrol.apiserver.k8s.io': 16_100,
  'resource.k8s.io': 15_900,
};

/** Keeps an APIService for every group version this server answers itself, so that all are listed in one place. */
export class LocalApiServices {
  #running: Promise<void> | undefined;
  #again = false;

  constructor(
    readonly registry: ResourceRegistry,
    readonly transport: Transport,
    readonly logger: Logger,
  ) {}

  sync(): void {
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = this.#reconcile()
      .catch((err: unknown) => this.logger.warn('APIServices of local groups are not up to date', { err }))
      .finally(() => {
        this.#running = undefined;
        if (!this.#again) return;
        this.#again = false;
        this.sync();
      });
  }

  async stop(): Promise<void> {
    this.#again = false;
    await this.#running;
  }

  async #reconcile(): Promise<void> {
    const { cache } = this.registry.storage('apiregistration.k8s.io', 'apiservices');
    const wanted = new Map<string, { group: string; version: string }>();
    for (const { definition } of this.registry.all()) {
      const { group, version } = definition;
      if (group !== 'apiregistration.k8s.io') wanted.set(`${version}.${group}`, { group, version });
    }
    for (const [name, { group, version }] of wanted) {
      if (cache.get('', name)) continue;
      const custom = PRIORITIES[group] === undefined;
      const body = {
        apiVersion: 'apiregistration.k8s.io/v1',
        kind: 'APIService',
        metadata: { name, labels: { [LABEL]: custom ? 'true' : 'onstart' } },
        spec: { ...(group === '' ? {} : { group }), version, groupPriorityMinimum: PRIORITIES[group] ?? 1000, versionPriority: custom ? 100 : 15 },
      };
      await this.#request('POST', PATH, body);
    }
    for (const { name, object } of cache.all()) {
      if (object.metadata.labels?.[LABEL] === 'true' && !object.spec?.service && !wanted.has(name)) await this.#request('DELETE', `${PATH}/${name}`, undefined);
    }
  }

  async #request(method: 'POST' | 'DELETE', path: string, body: object | undefined): Promise<void> {
    const headers = { 'user-agent': 'autoregister', ...(body ? { 'content-type': 'application/json' } : {}) };
    const { status, object, body: text } = await this.transport.request({ method, path, headers, body: body ? JSON.stringify(body) : undefined });
    // Made or removed by somebody else in between is as well.
    if (status >= 400 && status !== 409 && status !== 404) throw new Error(`${method} ${path}: ${object ? JSON.stringify(object) : text.toString()}`);
  }
}
