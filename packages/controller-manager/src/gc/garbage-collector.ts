import type { KubeObject, OwnerReference } from '@coxswain/api';
import { isConflict, isNotFound } from '@coxswain/apimachinery';
import { Resources, SharedInformer } from '@coxswain/client';
import type { Controller, ControllerContext, KeyQueue } from '../runtime/controller-context.js';
import { discover, resourceId, type ServedResource } from '../runtime/discovery.js';
import { groupOf } from '../runtime/owners.js';
import { matches, ObjectGraph, type GraphChange, type GraphNode } from './object-graph.js';

/** Never collected: upstream ignores them too. */
const IGNORED: ReadonlySet<string> = new Set(['events', 'events.events.k8s.io', 'bindings', 'componentstatuses']);
/** Watched by other controllers of this process anyway: their informers are shared instead of opening a second watch. */
const SHARED: ReadonlySet<string> = new Set([
  'pods',
  'services',
  'nodes',
  'namespaces',
  'serviceaccounts',
  'endpoints',
  'persistentvolumeclaims',
  'persistentvolumes',
  'replicationcontrollers',
  'resourcequotas',
  'replicasets.apps',
  'deployments.apps',
  'statefulsets.apps',
  'daemonsets.apps',
  'controllerrevisions.apps',
  'jobs.batch',
  'cronjobs.batch',
  'endpointslices.discovery.k8s.io',
  'poddisruptionbudgets.policy',
  'customresourcedefinitions.apiextensions.k8s.io',
  'horizontalpodautoscalers.autoscaling',
]);
const RESYNC_MS = 30_000;
const SETTLE_MS = 200;
const ABSENT_TTL_MS = 5 * 60_000;
const ORPHAN = 'orphan:';

type Owners = { readonly solid: OwnerReference[]; readonly dangling: OwnerReference[]; readonly waiting: OwnerReference[] };

const metadataOnly = <T extends KubeObject>(o: T): T => {
  const { name, namespace, uid, resourceVersion, ownerReferences, finalizers, deletionTimestamp } = o.metadata;
  return {
    apiVersion: o.apiVersion,
    kind: o.kind,
    metadata: { name, namespace, uid, resourceVersion, ownerReferences, finalizers, deletionTimestamp },
  } as T;
};

/** Objects whose owners are all gone are deleted; foreground and orphan deletion are carried out. */
export function garbageCollector(ctx: ControllerContext): Controller {
  const { client, informers, clock, random, logger, events } = ctx;
  const graph = new ObjectGraph();
  const watched = new Map<string, { readonly resource: ServedResource; readonly hasSynced: () => boolean; readonly stop: () => void }>();
  const absent = new Map<string, number>();
  let served = new Map<string, ServedResource>();
  let queue: KeyQueue | undefined;

  const apply = ({ check, orphan }: GraphChange) => {
    for (const n of check) queue?.add(n.uid);
    for (const n of orphan) queue?.add(ORPHAN + n.uid);
  };

  function watchResource(resource: ServedResource): void {
    const id = resourceId(resource);
    const shared = SHARED.has(id);
    const informer: SharedInformer<KubeObject> = shared
      ? informers.informer<KubeObject>(sharedRef(resource))
      : new SharedInformer<KubeObject>({ source: client.resource<KubeObject>(resource), clock, random, name: `gc:${id}`, transform: metadataOnly, logger });
    const undo = informer.addHandler({
      add: (o) => apply(graph.upsert(resource, o)),
      update: (_old, o) => apply(graph.upsert(resource, o)),
      delete: (o) => apply(graph.remove(o.metadata.uid ?? '')),
    });
    if (!shared) informer.start();
    const stop = () => {
      undo();
      if (!shared) void informer.stop();
    };
    watched.set(id, { resource, hasSynced: () => informer.hasSynced, stop });
  }

  async function resync(signal: AbortSignal): Promise<void> {
    const { resources, failed } = await discover(client, signal);
    served = new Map(resources.map((r) => [`${r.group}/${r.kind}`, r]));
    const wanted = new Map(
      resources
        .filter((r) => r.verbs.includes('list') && r.verbs.includes('watch') && r.verbs.includes('delete') && !IGNORED.has(resourceId(r)))
        .map((r) => [resourceId(r), r]),
    );
    for (const [id, w] of watched) {
      const now = wanted.get(id);
      if (now && now.version === w.resource.version) continue;
      // A group that could not be asked has not gone.
      if (!now && failed.some((gv) => gv.startsWith(`${w.resource.group}/`))) continue;
      w.stop();
      watched.delete(id);
      for (const n of graph.ofResource(id)) apply(graph.remove(n.uid));
    }
    for (const [id, r] of wanted) if (!watched.has(id)) watchResource(r);
  }

  const at = (n: { resource: ServedResource; namespace: string }) => client.resource<KubeObject>(n.resource, n.resource.namespaced ? n.namespace : undefined);
  const resourceOf = (apiVersion: string, kind: string): ServedResource | undefined => served.get(`${groupOf(apiVersion)}/${kind}`);

  async function live(resource: ServedResource, namespace: string, name: string, signal: AbortSignal): Promise<KubeObject | undefined> {
    try {
      return await at({ resource, namespace }).get(name, { signal });
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async function classify(node: GraphNode, owners: readonly OwnerReference[], signal: AbortSignal): Promise<Owners> {
    const out: Owners = { solid: [], dangling: [], waiting: [] };
    for (const o of owners) {
      const owner = graph.get(o.uid);
      if (await isAbsent(node, o, owner, signal)) out.dangling.push(o);
      else if (owner?.deletingDependents && o.blockOwnerDeletion) out.waiting.push(o);
      else out.solid.push(o);
    }
    return out;
  }

  async function isAbsent(node: GraphNode, o: OwnerReference, owner: GraphNode | undefined, signal: AbortSignal): Promise<boolean> {
    if (owner && !owner.virtual && matches(owner, o, node)) return false;
    const resource = resourceOf(o.apiVersion, o.kind);
    if (!resource) throw new Error(`the owner kind ${o.apiVersion} ${o.kind} of ${node.kind} ${node.namespace}/${node.name} is not served`);
    const key = `${o.uid}/${resourceId(resource)}/${resource.namespaced ? node.namespace : ''}/${o.name}`;
    const until = absent.get(key);
    if (until !== undefined && until > clock.monotonic()) return true;
    // A namespaced owner of a cluster-scoped object cannot be.
    const found = resource.namespaced && node.namespace === '' ? undefined : await live(resource, node.namespace, o.name, signal);
    if (found?.metadata.uid === o.uid) return false;
    if (owner && !owner.virtual) {
      const message = `ownerRef [${o.apiVersion}/${o.kind}, namespace: ${node.namespace}, name: ${o.name}, uid: ${o.uid}] does not exist in namespace "${node.namespace}"`;
      events(
        { apiVersion: node.apiVersion, kind: node.kind, metadata: { name: node.name, namespace: node.namespace, uid: node.uid } },
        'Warning',
        'OwnerRefInvalidNamespace',
        message,
      );
    }
    if (absent.size > 5000) absent.clear();
    absent.set(key, clock.monotonic() + ABSENT_TTL_MS);
    return true;
  }

  const without = (object: KubeObject, finalizer: string) => ({
    metadata: { resourceVersion: object.metadata.resourceVersion, finalizers: (object.metadata.finalizers ?? []).filter((f) => f !== finalizer) },
  });

  async function attemptToDelete(node: GraphNode, signal: AbortSignal): Promise<void> {
    if (node.virtual) return verify(node, signal);
    if (node.beingDeleted && !node.deletingDependents) return;
    if (!node.deletingDependents && node.owners.length === 0) return;
    const resource = node.resource as ServedResource;
    const latest = await live(resource, node.namespace, node.name, signal);
    if (!latest || latest.metadata.uid !== node.uid) return apply(graph.remove(node.uid));
    const api = at({ resource, namespace: node.namespace });
    if (node.deletingDependents) {
      const blocking = [...node.dependents].filter((d) => d.owners.some((o) => o.uid === node.uid && o.blockOwnerDeletion));
      if (blocking.length === 0) {
        if (latest.metadata.finalizers?.includes('foregroundDeletion')) await api.patch(node.name, 'merge', without(latest, 'foregroundDeletion'), { signal });
        return;
      }
      for (const d of blocking) if (!d.deletingDependents) queue?.add(d.uid);
      return;
    }
    const owners = (latest.metadata.ownerReferences ?? []) as OwnerReference[];
    if (owners.length === 0) return;
    const { solid, dangling, waiting } = await classify(node, owners, signal);
    const { resourceVersion } = latest.metadata;
    if (solid.length > 0) {
      const lost = new Set([...dangling, ...waiting].map((o) => o.uid));
      if (lost.size > 0)
        await api.patch(node.name, 'merge', { metadata: { resourceVersion, ownerReferences: owners.filter((o) => !lost.has(o.uid)) } }, { signal });
      return;
    }
    const preconditions = { uid: node.uid, ...(resourceVersion !== undefined && { resourceVersion }) };
    if (waiting.length > 0 && node.dependents.size > 0) {
      // A circle of owners that wait for each other would wait for ever.
      if ([...node.dependents].some((d) => d.deletingDependents)) {
        const patched = await api.patch(
          node.name,
          'merge',
          { metadata: { resourceVersion, ownerReferences: owners.map((o) => ({ ...o, blockOwnerDeletion: false })) } },
          { signal },
        );
        await api.delete(node.name, {
          propagationPolicy: 'Foreground',
          preconditions: { uid: node.uid, ...(patched.metadata.resourceVersion && { resourceVersion: patched.metadata.resourceVersion }) },
          signal,
        });
        return;
      }
      await api.delete(node.name, { propagationPolicy: 'Foreground', preconditions, signal });
      return;
    }
    const finalizers = latest.metadata.finalizers ?? [];
    const propagationPolicy = finalizers.includes('orphan') ? 'Orphan' : finalizers.includes('foregroundDeletion') ? 'Foreground' : 'Background';
    await api.delete(node.name, { propagationPolicy, preconditions, signal });
  }

  /** An owner nobody has seen: gone, or on its way to us. */
  async function verify(node: GraphNode, signal: AbortSignal): Promise<void> {
    if (node.dependents.size === 0) return void graph.remove(node.uid);
    const resource = resourceOf(node.apiVersion, node.kind);
    if (!resource) throw new Error(`the owner kind ${node.apiVersion} ${node.kind} is not served`);
    const found = resource.namespaced && node.namespace === '' ? undefined : await live(resource, node.namespace, node.name, signal);
    if (found?.metadata.uid === node.uid) return;
    for (const d of node.dependents) queue?.add(d.uid);
  }

  async function attemptToOrphan(node: GraphNode, signal: AbortSignal): Promise<void> {
    for (const d of node.dependents) {
      if (!d.resource || d.virtual) continue;
      const latest = await live(d.resource, d.namespace, d.name, signal);
      if (!latest || latest.metadata.uid !== d.uid || !latest.metadata.ownerReferences?.some((o) => o.uid === node.uid)) continue;
      const ownerReferences = latest.metadata.ownerReferences.filter((o) => o.uid !== node.uid);
      await at({ resource: d.resource, namespace: d.namespace }).patch(
        d.name,
        'merge',
        { metadata: { resourceVersion: latest.metadata.resourceVersion, ownerReferences } },
        { signal },
      );
    }
    const resource = node.resource as ServedResource;
    const latest = await live(resource, node.namespace, node.name, signal);
    if (latest?.metadata.uid === node.uid && latest.metadata.finalizers?.includes('orphan')) {
      await at({ resource, namespace: node.namespace }).patch(node.name, 'merge', without(latest, 'orphan'), { signal });
    }
  }

  const crds = informers.informer(Resources.customResourceDefinitions);
  return {
    name: 'garbage-collector',
    concurrency: 20,
    watch(q) {
      queue = q;
      return () => {
        for (const w of watched.values()) w.stop();
        watched.clear();
      };
    },
    begin() {
      const abort = new AbortController();
      const { signal } = abort;
      let cancel = () => {};
      let running = Promise.resolve();
      const soon = (ms: number) => {
        cancel();
        cancel = clock.setTimeout(() => {
          running = running
            .then(() => (signal.aborted ? undefined : resync(signal)))
            .catch((error: unknown) => void (signal.aborted || logger.warn('discovery failed', { err: error })))
            .then(() => {
              if (!signal.aborted) soon(RESYNC_MS);
            });
        }, ms);
      };
      soon(0);
      // New kinds are watched as soon as they are there.
      const undo = crds.addHandler({ add: (_c, initial) => initial || soon(SETTLE_MS), update: () => soon(SETTLE_MS), delete: () => soon(SETTLE_MS) });
      return () => {
        undo();
        cancel();
        abort.abort(new Error('garbage collector stopping'));
      };
    },
    async reconcile(key, signal) {
      const orphan = key.startsWith(ORPHAN);
      const node = graph.get(orphan ? key.slice(ORPHAN.length) : key);
      if (!node) return undefined;
      // Deciding on half of the graph would find owners missing that were not listed yet.
      if ([...watched.values()].some((w) => w.resource === node.resource && !w.hasSynced())) return { requeueAfterMs: 100 };
      try {
        await (orphan ? attemptToOrphan(node, signal) : attemptToDelete(node, signal));
      } catch (error) {
        if (isNotFound(error)) {
          apply(graph.remove(node.uid));
          return undefined;
        }
        if (isConflict(error)) return { requeueAfterMs: 50 };
        throw error;
      }
      return undefined;
    },
  };
}

/** The very reference the other controllers use, so that the factory finds the same informer. */
function sharedRef(resource: ServedResource): ServedResource {
  for (const ref of Object.values(Resources)) {
    if (ref.group === resource.group && ref.resource === resource.resource) return { ...resource, version: ref.version };
  }
  return resource;
}
