import type { KubeObject, Node, Service } from '@coxswain/api';
import { isNotFound, semanticEqual } from '@coxswain/apimachinery';
import { Resources, splitKey } from '@coxswain/client';
import type { Controller, Outcome } from '@coxswain/controller';
import { ImplementedElsewhereError, type LoadBalancers, type LoadBalancerStatus, RetryAfterError } from '@coxswain/sdk';
import type { CloudContext } from '../registry.js';
import { loadBalancerNodes, nodesFingerprint } from './load-balancer-nodes.js';
import { CLEANUP_FINALIZER, hasFinalizer, needsCleanup, serviceChange, wantsLoadBalancer } from './service-changes.js';

/** What the cloud was last told. Lost with the process: the next one tells it everything again. */
interface Told {
  readonly service: Service;
  readonly nodes: string;
}

/** Services of type LoadBalancer get a load balancer, and lose it before they go. */
export function serviceController({ client, informers, events, config }: CloudContext, balancers: LoadBalancers): Controller {
  const services = informers.informer(Resources.services);
  const nodes = informers.informer(Resources.nodes);
  const told = new Map<string, Told>();
  const keyOf = (s: Service) => `${s.metadata.namespace}/${s.metadata.name}`;
  const event = (service: Service, type: 'Normal' | 'Warning', reason: string, message: string) => events(service as KubeObject, type, reason, message);

  async function setFinalizers(service: Service, finalizers: string[], signal: AbortSignal): Promise<void> {
    const { namespace, name = '', resourceVersion, uid } = service.metadata;
    await client.api.services(namespace).patch(name, 'merge', { metadata: { finalizers, resourceVersion, uid } }, { signal });
  }

  async function setStatus(service: Service, status: LoadBalancerStatus, signal: AbortSignal): Promise<void> {
    const before = (service.status?.loadBalancer?.ingress ?? []).map(({ ports: _p, ...ingress }) => ingress);
    if (semanticEqual(before, status.ingress)) return;
    const { namespace, name = '' } = service.metadata;
    // A list in a merge patch replaces; null removes.
    const loadBalancer = { ingress: status.ingress.length > 0 ? status.ingress : null };
    try {
      await client.api.services(namespace).patch(name, 'merge', { status: { loadBalancer } }, { subresource: 'status', signal });
    } catch (error) {
      if (!isNotFound(error)) throw new Error(`failed to update load balancer status: ${(error as Error).message}`);
    }
  }

  async function remove(service: Service, signal: AbortSignal): Promise<void> {
    const exists = await step('failed to check if load balancer exists before cleanup', balancers.get(service, signal));
    if (exists) {
      event(service, 'Normal', 'DeletingLoadBalancer', 'Deleting load balancer');
      await step('failed to delete load balancer', balancers.ensureDeleted(service, signal));
    }
    if (hasFinalizer(service)) {
      // The status goes first: without the finalizer the Service may be gone the next moment.
      await setStatus(service, { ingress: [] }, signal);
      const fresh = await client.api.services(service.metadata.namespace).get(service.metadata.name ?? '', { signal });
      const finalizers = (fresh.metadata.finalizers ?? []).filter((f) => f !== CLEANUP_FINALIZER);
      if (fresh.metadata.uid === service.metadata.uid)
        await step('failed to remove load balancer cleanup finalizer', setFinalizers(fresh, finalizers, signal)).catch(unlessGone);
    }
    event(service, 'Normal', 'DeletedLoadBalancer', 'Deleted load balancer');
  }

  async function ensure(service: Service, targets: readonly Node[], signal: AbortSignal): Promise<void> {
    event(service, 'Normal', 'EnsuringLoadBalancer', 'Ensuring load balancer');
    // Before anything is made: from now on the Service stays until it is unmade.
    if (!hasFinalizer(service))
      await step('failed to add load balancer cleanup finalizer', setFinalizers(service, [...(service.metadata.finalizers ?? []), CLEANUP_FINALIZER], signal));
    if (targets.length === 0) event(service, 'Warning', 'UnAvailableLoadBalancer', 'There are no available nodes for LoadBalancer');
    const status = await step('failed to ensure load balancer', balancers.ensure(service, targets, signal));
    await setStatus(service, status, signal);
    event(service, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer');
  }

  /** Only the nodes changed. */
  async function update(service: Service, targets: readonly Node[], signal: AbortSignal): Promise<void> {
    try {
      await setStatus(service, await balancers.ensure(service, targets, signal), signal);
    } catch (error) {
      if (error instanceof ImplementedElsewhereError) return;
      const names = `[${targets.map((n) => n.metadata.name).join(' ')}]`;
      event(service, 'Warning', 'UpdateLoadBalancerFailed', `Error updating load balancer with new hosts ${names}: ${(error as Error).message}`);
      throw new Reported(error);
    }
    if (targets.length === 0) event(service, 'Warning', 'UnAvailableLoadBalancer', 'There are no available nodes for LoadBalancer');
    else event(service, 'Normal', 'UpdatedLoadBalancer', 'Updated load balancer with new hosts');
  }

  async function sync(key: string, signal: AbortSignal): Promise<void> {
    const { namespace, name } = splitKey(key);
    const service = services.lister.get(name, namespace);
    const last = told.get(key);
    // Its finalizer was taken off by hand, or it was replaced by another of its name: what was made for it still goes.
    if (last && last.service.metadata.uid !== service?.metadata.uid && wantsLoadBalancer(last.service)) {
      await balancers.ensureDeleted(last.service, signal);
      told.delete(key);
    }
    if (!service) return;
    if (!wantsLoadBalancer(service) || needsCleanup(service)) {
      if (hasFinalizer(service) || (last && wantsLoadBalancer(last.service))) await remove(service, signal);
      told.delete(key);
      return;
    }
    if (service.metadata.deletionTimestamp) return;
    const all = nodes.lister.list();
    const current: Told = { service, nodes: nodesFingerprint(all) };
    const before = told.get(key);
    try {
      if (!before || serviceChange(before.service, service) !== undefined) await ensure(service, loadBalancerNodes(all), signal);
      else if (before.nodes !== current.nodes) await update(service, loadBalancerNodes(all), signal);
    } catch (error) {
      if (!(error instanceof ImplementedElsewhereError)) throw error;
    }
    told.set(key, current);
  }

  return {
    name: 'service',
    concurrency: config.concurrentServiceSyncs,
    backoff: { baseMs: 5000, maxMs: 300_000 },
    watch(queue) {
      const undo = [
        services.addHandler({
          add: (s) => (wantsLoadBalancer(s) || needsCleanup(s)) && queue.add(keyOf(s)),
          update(old, s) {
            const change = serviceChange(old, s);
            if (change && change !== 'quiet') event(s, 'Normal', change.reason, change.message);
            if (change || needsCleanup(s)) queue.add(keyOf(s));
          },
          delete: (s) => queue.add(keyOf(s)),
        }),
        nodes.addHandler({ add: everyone, update: (old, n) => nodesFingerprint([old]) !== nodesFingerprint([n]) && everyone(), delete: everyone }),
      ];
      function everyone() {
        for (const s of services.lister.list()) if (wantsLoadBalancer(s)) queue.add(keyOf(s));
      }
      return () => undo.forEach((f) => f());
    },
    async reconcile(key, signal): Promise<Outcome> {
      try {
        await sync(key, signal);
        return undefined;
      } catch (error) {
        if (signal.aborted) throw error;
        const { namespace, name } = splitKey(key);
        const service = services.lister.get(name, namespace);
        if (service && !(error instanceof Reported))
          event(service, 'Warning', 'SyncLoadBalancerFailed', `Error syncing load balancer: ${(error as Error).message}`);
        const cause = (error as Error).cause ?? error;
        if (cause instanceof RetryAfterError) return { requeueAfterMs: cause.afterMs };
        throw error;
      }
    },
  };
}

/** The user was told already. */
class Reported extends Error {
  constructor(cause: unknown) {
    super((cause as Error).message, { cause });
  }
}

/** Says what failed, keeps why. */
async function step<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ImplementedElsewhereError) throw error;
    throw new Error(`${what}: ${(error as Error).message}`, { cause: error });
  }
}

function unlessGone(error: unknown): void {
  if (!isNotFound((error as Error).cause)) throw error;
}
