import type { AuthorizationAttributes, UserInfo } from '@coxswain/sdk';
import { describe, expect, it } from 'vitest';
import { Authorization } from './authorization.js';
import { impersonatedUser } from './impersonation-modes.js';

const alice: UserInfo = { name: 'alice', groups: ['system:authenticated'] };
const asText = ({ user, verb, target }: AuthorizationAttributes) =>
  target.type === 'path'
    ? `${user.name} ${verb} ${target.path}`
    : `${user.name} ${verb} ${[target.group, target.resource, target.subresource, target.namespace, target.name].filter(Boolean).join('/')}`;

/** Becomes `wanted` to list pods, where only these questions are answered with yes. */
function become(wanted: Partial<UserInfo>, yes: readonly string[], requester = alice) {
  const authorization = new Authorization([
    { name: 'played', authorize: (asked) => (yes.includes(asText(asked)) ? { decision: 'allow' } : { decision: 'no-opinion' }) },
  ]);
  const request: AuthorizationAttributes = { user: requester, verb: 'list', target: { type: 'resource', group: '', version: 'v1', resource: 'pods' } };
  return impersonatedUser({ name: 'bob', groups: [], ...wanted }, request, authorization);
}

describe('constrained impersonation', () => {
  it('needs who may be impersonated and what may be done as them', async () => {
    const both = ['alice impersonate-on:user-info:list pods', 'alice impersonate:user-info authentication.k8s.io/users/bob'];
    expect(await become({}, both)).toEqual({ user: { name: 'bob', groups: ['system:authenticated'] }, constraint: 'impersonate:user-info' });
    for (const one of both) await expect(become({}, [one])).rejects.toMatchObject({ status: { code: 403 } });
    await expect(become({}, [])).rejects.toThrow('User "alice" cannot impersonate-on:user-info:list resource "pods"');
  });

  it('is never needed by who may impersonate without constraint', async () => {
    expect(await become({}, ['alice impersonate users/bob'])).toEqual({ user: { name: 'bob', groups: ['system:authenticated'] }, constraint: undefined });
  });

  it('does not make anybody a master', async () => {
    const yes = ['alice impersonate-on:user-info:list pods', 'alice impersonate:user-info authentication.k8s.io/users/bob'];
    const all = [...yes, 'alice impersonate:user-info authentication.k8s.io/groups/system:masters'];
    await expect(become({ groups: ['system:masters'] }, all)).rejects.toThrow('impersonating the system:masters group is not allowed');
  });

  it('knows service accounts and nodes by their own permissions, and gives them their groups', async () => {
    const account = ['alice impersonate-on:serviceaccount:list pods', 'alice impersonate:serviceaccount authentication.k8s.io/serviceaccounts/ns/sa'];
    expect((await become({ name: 'system:serviceaccount:ns:sa' }, account)).user.groups).toEqual([
      'system:serviceaccounts',
      'system:serviceaccounts:ns',
      'system:authenticated',
    ]);
    const node = ['alice impersonate-on:arbitrary-node:list pods', 'alice impersonate:arbitrary-node authentication.k8s.io/nodes/n1'];
    expect(await become({ name: 'system:node:n1' }, node)).toEqual({
      user: { name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] },
      constraint: 'impersonate:arbitrary-node',
    });
    await expect(become({ name: 'system:node:n1', uid: 'u' }, node)).rejects.toMatchObject({ status: { code: 403 } });
  });

  it('lets the service account of a pod be the node of that pod, and no other', async () => {
    const agent: UserInfo = { name: 'system:serviceaccount:ns:agent', groups: [], extra: { 'authentication.kubernetes.io/node-name': ['n1'] } };
    const yes = [`${agent.name} impersonate-on:associated-node:list pods`, `${agent.name} impersonate:associated-node authentication.k8s.io/nodes/*`];
    expect((await become({ name: 'system:node:n1' }, yes, agent)).constraint).toBe('impersonate:associated-node');
    await expect(become({ name: 'system:node:n2' }, yes, agent)).rejects.toMatchObject({ status: { code: 403 } });
  });
});
