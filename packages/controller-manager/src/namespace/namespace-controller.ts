import type { KubeObject, Namespace } from '@coxswain/api';
import { isConflict, isMethodNotSupported, isNotFound, semanticEqual } from '@coxswain/apimachinery';
import { Resources } from '@coxswain/client';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';
import { discover, type Discovery, type ServedResource } from '../runtime/discovery.js';
import { namespaceConditions, type ContentReport } from './namespace-status.js';

const FINALIZER = 'kubernetes';
/** How many resources of a namespace are emptied at the same time. */
const PARALLEL = 8;
const LOOK_AGAIN_MS = 1000;
/** Goes before everything else: what a pod uses (its policies, its secrets) stays as long as the pod runs. */
const PODS = ':pods';
/** A namespace is emptied in several rounds: they share what discovery said. */
const DISCOVERY_TTL_MS = 5000;

const idOf = (r: ServedResource): string => `${r.group}:${r.resource}`;

/** A namespace that is being deleted is emptied, pods first, and then let go. */
export function namespaceController({ client, informers, clock }: ControllerContext): Controller {
  const namespaces = informers.informer(Resources.namespaces);
  let known: { readonly at: number; readonly result: Promise<Discovery> } | undefined;

  function discovered(signal: AbortSignal): Promise<Discovery> {
    if (!known || clock.monotonic() - known.at > DISCOVERY_TTL_MS) {
      const result = discover(client, signal);
      known = { at: clock.monotonic(), result };
      result.catch(() => {
        known = undefined;
      });
    }
    return known.result;
  }

  /** Delete everything of one resource; what is left afterwards. */
  async function empty(resource: ServedResource, namespace: string, signal: AbortSignal): Promise<readonly KubeObject[]> {
    const api = client.resource<KubeObject>(resource, namespace);
    const list = async (): Promise<readonly KubeObject[]> => {
      const out: KubeObject[] = [];
      for await (const item of api.items({ signal })) out.push(item);
      return out;
    };
    const before = await list();
    if (before.length === 0) return before;
    if (resource.verbs.includes('deletecollection')) await api.deleteCollection({ propagationPolicy: 'Background', signal });
    else {
      for (const o of before) {
        try {
          await api.delete(o.metadata.name ?? '', { propagationPolicy: 'Background', signal });
        } catch (error) {
          if (!isNotFound(error)) throw error;
        }
      }
    }
    return list();
  }

  async function deleteContent(namespace: string, signal: AbortSignal): Promise<ContentReport> {
    const { resources, failed } = await discovered(signal);
    // Everything that can be listed and deleted; events last: they are what tells the story.
    const todo = resources
      .filter((r) => r.namespaced && r.verbs.includes('list') && r.verbs.includes('delete'))
      .sort((a, b) => Number(a.resource === 'events') - Number(b.resource === 'events'));
    const remaining = new Map<string, number>();
    const finalizers = new Map<string, number>();
    const deletionFailures: string[] = [];
    const one = async (r: ServedResource) => {
      try {
        const left = await empty(r, namespace, signal);
        if (left.length === 0) return;
        remaining.set(`${r.resource}.${r.group}`, left.length);
        for (const o of left) for (const f of o.metadata.finalizers ?? []) finalizers.set(f, (finalizers.get(f) ?? 0) + 1);
      } catch (error) {
        if (isNotFound(error) || isMethodNotSupported(error)) return;
        deletionFailures.push(`${r.resource}.${r.group}: ${(error as Error).message}`);
      }
    };
    const [pods, others] = [todo.filter((r) => idOf(r) === PODS), todo.filter((r) => idOf(r) !== PODS)];
    for (const r of pods) await one(r);
    if (remaining.size === 0 && deletionFailures.length === 0) {
      let next = 0;
      const worker = async () => {
        for (let r = others[next++]; r; r = others[next++]) await one(r);
      };
      await Promise.all(Array.from({ length: PARALLEL }, worker));
    }
    return { discoveryFailures: failed, deletionFailures, remaining, finalizers };
  }

  return {
    name: 'namespace',
    concurrency: 10,
    watch: (queue) => namespaces.addHandler({ add: (n) => queue.add(n.metadata.name ?? ''), update: (_o, n) => queue.add(n.metadata.name ?? '') }),
    async reconcile(name, signal) {
      const cached = namespaces.lister.get(name);
      if (!cached?.metadata.deletionTimestamp || !cached.spec?.finalizers?.includes(FINALIZER)) return undefined;
      const report = await deleteContent(name, signal);
      let ns: Namespace;
      try {
        ns = await client.api.namespaces().get(name, { signal });
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
      if (ns.metadata.uid !== cached.metadata.uid) return undefined;
      const conditions = namespaceConditions(ns.status?.conditions, report, clock.now());
      if (!semanticEqual(conditions, ns.status?.conditions) || ns.status?.phase !== 'Terminating') {
        ns = await client.api.namespaces().updateStatus({ ...ns, status: { ...ns.status, phase: 'Terminating', conditions } }, { signal });
      }
      if (report.remaining.size > 0) return { requeueAfterMs: LOOK_AGAIN_MS };
      if (report.discoveryFailures.length + report.deletionFailures.length > 0)
        throw new Error(`namespace ${name} could not be emptied: ${[...report.discoveryFailures, ...report.deletionFailures].join('; ')}`);
      try {
        await client.api
          .namespaces()
          .subresource<Namespace>(name, 'finalize')
          .update({ ...ns, spec: { ...ns.spec, finalizers: (ns.spec?.finalizers ?? []).filter((f) => f !== FINALIZER) } }, { signal });
      } catch (error) {
        if (!isNotFound(error) && !isConflict(error)) throw error;
        if (isConflict(error)) return { requeueAfterMs: 50 };
      }
      return undefined;
    },
  };
}
