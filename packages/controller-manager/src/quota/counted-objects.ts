import type { KubeObject } from '@coxswain/api';
import { SharedInformer, type ResourceRef } from '@coxswain/client';
import type { ControllerContext } from '../runtime/controller-context.js';
import { discover, resourceId } from '../runtime/discovery.js';

/** A resource that was not served is asked for again after this. */
const LOOK_AGAIN_MS = 30_000;

/** What a quota counts by number: upstream's old names, and `count/<resource>[.<group>]` for anything that is served. */
const BY_NAME = new Set(['configmaps', 'secrets', 'replicationcontrollers', 'resourcequotas']);
/** Counted from what the controller knows anyway. */
const KNOWN = new Set(['pods', 'services', 'persistentvolumeclaims']);

/** The resource (`secrets`, `deployments.apps`) whose objects a name in `hard` counts; undefined when it measures something else. */
export function countedResource(hard: string): string | undefined {
  const name = hard.startsWith('count/') ? hard.slice('count/'.length) : BY_NAME.has(hard) ? hard : undefined;
  return name === undefined || KNOWN.has(name) ? undefined : name;
}

const nameOnly = (o: KubeObject): KubeObject => {
  const { name, namespace, uid, resourceVersion } = o.metadata;
  return { apiVersion: o.apiVersion, kind: o.kind, metadata: { name, namespace, uid, resourceVersion } } as KubeObject;
};

/** How many objects of a kind a namespace has. A resource is watched from the first time that a quota names it, by names only. */
export class CountedObjects {
  readonly #informers = new Map<string, SharedInformer<KubeObject>>();
  readonly #absent = new Map<string, number>();

  /** @param onDelete told the namespace something has gone from */
  constructor(
    private readonly ctx: Pick<ControllerContext, 'client' | 'clock' | 'random' | 'logger'>,
    private readonly onDelete: (namespace: string) => void,
  ) {}

  /** 0 for what is not served. */
  async count(resource: string, namespace: string, signal: AbortSignal): Promise<number> {
    const informer = this.#informers.get(resource) ?? (await this.#watch(resource, signal));
    if (!informer) return 0;
    await informer.synced(signal);
    return informer.lister.list({ namespace }).length;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#informers.values()].map((i) => i.stop()));
    this.#informers.clear();
  }

  async #watch(resource: string, signal: AbortSignal): Promise<SharedInformer<KubeObject> | undefined> {
    const { client, clock, random, logger } = this.ctx;
    if ((this.#absent.get(resource) ?? 0) > clock.monotonic()) return undefined;
    const { resources } = await discover(client, signal);
    const found = resources.find((r) => resourceId(r) === resource && r.namespaced && r.verbs.includes('list') && r.verbs.includes('watch'));
    if (!found) {
      this.#absent.set(resource, clock.monotonic() + LOOK_AGAIN_MS);
      return undefined;
    }
    const existing = this.#informers.get(resource);
    if (existing) return existing;
    const source = client.resource<KubeObject>(found as ResourceRef<KubeObject>);
    const informer = new SharedInformer<KubeObject>({ source, clock, random, logger, name: `quota:${resource}`, transform: nameOnly });
    informer.addHandler({ delete: (o) => this.onDelete(o.metadata.namespace ?? '') });
    this.#informers.set(resource, informer);
    informer.start();
    return informer;
  }
}
