import type { KubeObject, Node } from '@coxswain/api';
import { formatTime, isNotFound } from '@coxswain/apimachinery';
import { Resources } from '@coxswain/client';
import type { Controller } from '@coxswain/controller';
import type { Route, Routes } from '@coxswain/sdk';
import type { CloudContext } from '../registry.js';
import { cidrContains } from './cidr-contains.js';
import { planRoutes, podCidrs } from './plan-routes.js';

const ALL = 'routes';

/** Each node's pod network gets a route in the cloud; nodes say whether theirs is there (NetworkUnavailable). */
export function routeController({ client, informers, clock, events, config, logger }: CloudContext, routes: Routes): Controller {
  const nodes = informers.informer(Resources.nodes);
  const mine = (cidr: string) => config.clusterCidrs.some((all) => cidrContains(all, cidr));

  async function report(node: Node, created: boolean, signal: AbortSignal): Promise<void> {
    const status = created ? 'False' : 'True';
    if (node.status?.conditions?.find((c) => c.type === 'NetworkUnavailable')?.status === status) return;
    const now = formatTime(clock.now());
    const condition = {
      type: 'NetworkUnavailable',
      status,
      reason: created ? 'RouteCreated' : 'NoRouteCreated',
      message: created ? 'RouteController created a route' : 'RouteController failed to create a route',
      lastHeartbeatTime: now,
      lastTransitionTime: now,
    };
    try {
      await client.api.nodes().patch(node.metadata.name ?? '', 'strategic', { status: { conditions: [condition] } }, { subresource: 'status', signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  /** The routes that could not be made. */
  async function create(wanted: readonly Route[], all: readonly Node[], signal: AbortSignal): Promise<Set<Route>> {
    const failed = new Set<Route>();
    for (const route of wanted) {
      try {
        await routes.create(route, signal);
      } catch (error) {
        signal.throwIfAborted();
        failed.add(route);
        const node = all.find((n) => n.metadata.name === route.targetNode);
        const message = `Could not create route ${route.name} ${route.destinationCIDR} for node ${route.targetNode}: ${(error as Error).message}`;
        if (node) events(node as KubeObject, 'Warning', 'FailedToCreateRoute', message);
      }
    }
    return failed;
  }

  return {
    name: 'route',
    concurrency: 1,
    watch: (queue) =>
      nodes.addHandler({
        add: () => queue.add(ALL),
        update: (old, n) => facts(old) !== facts(n) && queue.add(ALL),
        delete: () => queue.add(ALL),
      }),
    async reconcile(_key, signal) {
      const all = nodes.lister.list();
      const plan = planRoutes(all, await routes.list(signal), mine);
      // What goes makes room for what comes: the same network may move to another node.
      for (const route of plan.remove) {
        try {
          await routes.delete(route, signal);
        } catch (error) {
          signal.throwIfAborted();
          logger.warn('could not delete a route', { route: route.name, cidr: route.destinationCIDR, err: error });
        }
      }
      const failed = await create(plan.create, all, signal);
      const without = new Set([...failed].map((r) => r.targetNode));
      for (const node of all) await report(node, podCidrs(node).length > 0 && !without.has(node.metadata.name ?? ''), signal);
      return { requeueAfterMs: config.routeReconciliationPeriod * 1000 };
    },
  };
}

const facts = (node: Node): string => JSON.stringify([podCidrs(node), node.status?.addresses]);
