import { ApiError, deepEqual } from '@coxswain/apimachinery';
import type { AdmissionPlugin, AdmissionRequest } from '@coxswain/sdk';
import type { RbacAuthorizer } from '../rbac/rbac-authorizer.js';
import { describeRule } from '../rbac/rules.js';
import type { PolicyRule } from '../rbac/rules.js';
import type { AdmissionEnv } from './admission-env.js';
import { AdmissionOrder } from './order.js';

const GROUP = 'rbac.authorization.k8s.io';
const ROLES = new Set(['roles', 'clusterroles']);
const BINDINGS = new Set(['rolebindings', 'clusterrolebindings']);
const MASTERS = 'system:masters';

/** Nobody grants what they do not have, unless they may `escalate` or `bind`. */
export function rbacEscalation(env: AdmissionEnv, rbac: RbacAuthorizer): AdmissionPlugin {
  return {
    name: 'RBACEscalation',
    order: AdmissionOrder.rbacEscalation,
    handles: ({ resource, operation, user, subresource }) =>
      resource.group === GROUP &&
      subresource === '' &&
      (operation === 'CREATE' || operation === 'UPDATE') &&
      !user.groups.includes(MASTERS) &&
      (ROLES.has(resource.resource) || BINDINGS.has(resource.resource)),
    async validate(request) {
      const { resource, object, oldObject } = request;
      if (!object) return;
      if (ROLES.has(resource.resource)) {
        if (oldObject && deepEqual(object.rules, oldObject.rules) && deepEqual(object.aggregationRule, oldObject.aggregationRule)) return;
        if (await may(env, request, 'escalate', resource.resource, object.metadata.name ?? '')) return;
        const wanted = [
          ...((object.rules ?? []) as PolicyRule[]),
          ...(object.aggregationRule
            ? [
                { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
                { verbs: ['*'], nonResourceURLs: ['*'] },
              ]
            : []),
        ];
        check(rbac, request, wanted);
        return;
      }
      if (oldObject && deepEqual(object.roleRef, oldObject.roleRef) && deepEqual(object.subjects, oldObject.subjects)) return;
      const ref = object.roleRef as { kind: string; name: string };
      if (await may(env, request, 'bind', ref.kind === 'Role' ? 'roles' : 'clusterroles', ref.name)) return;
      const rules = rbac.rulesOf(ref, request.namespace);
      if (!rules) throw ApiError.notFound({ group: GROUP, resource: ref.kind === 'Role' ? 'roles' : 'clusterroles' }, ref.name);
      check(rbac, request, rules);
    },
  };
}

async function may(env: AdmissionEnv, { user, namespace }: AdmissionRequest, verb: string, resource: string, name: string): Promise<boolean> {
  const result = await env.authorization.authorize({
    user,
    verb,
    target: { type: 'resource', group: GROUP, version: '*', resource, name, ...(namespace === '' ? {} : { namespace }) },
  });
  return result.decision === 'allow';
}

function check(rbac: RbacAuthorizer, request: AdmissionRequest, wanted: readonly PolicyRule[]): void {
  const missing = rbac.missing(request.user, request.namespace, wanted);
  if (missing.length === 0) return;
  const { user } = request;
  const who = `user ${JSON.stringify(user.name)} (groups=${JSON.stringify(user.groups)})`;
  throw ApiError.forbidden(
    { group: GROUP, resource: request.resource.resource },
    request.object?.metadata.name ?? '',
    `${who} is attempting to grant RBAC permissions not currently held:\n${missing.map(describeRule).join('\n')}`,
  );
}
