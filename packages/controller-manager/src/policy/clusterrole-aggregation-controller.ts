import type { ClusterRole } from '@coxswain/api';
import { labelSelectorFromObject, semanticEqual } from '@coxswain/apimachinery';
import { Resources } from '@coxswain/client';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';

/** ClusterRoles with an aggregation rule have the rules of all the roles it selects. */
export function clusterRoleAggregationController({ client, informers }: ControllerContext): Controller {
  const roles = informers.informer(Resources.clusterRoles);
  const name = (r: ClusterRole) => r.metadata.name ?? '';
  return {
    name: 'clusterrole-aggregation',
    watch(queue) {
      const all = () => {
        for (const r of roles.lister.list()) if (r.aggregationRule) queue.add(name(r));
      };
      return roles.addHandler({ add: all, update: all, delete: all });
    },
    async reconcile(at, signal) {
      const role = roles.lister.get(at);
      if (!role?.aggregationRule) return undefined;
      const rules: NonNullable<ClusterRole['rules']> = [];
      for (const s of role.aggregationRule.clusterRoleSelectors ?? []) {
        const found = roles.lister.list({ selector: labelSelectorFromObject(s) }).filter((r) => name(r) !== at);
        for (const r of found.sort((a, b) => (name(a) < name(b) ? -1 : 1)))
          for (const rule of r.rules ?? []) if (!rules.some((x) => semanticEqual(x, rule))) rules.push(rule);
      }
      if (semanticEqual(rules, role.rules)) return undefined;
      await client.api.clusterRoles().update({ ...role, rules }, { signal });
      return undefined;
    },
  };
}
