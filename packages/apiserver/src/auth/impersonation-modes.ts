import { names } from '@coxswain/api';
import type { AuthorizationAttributes, UserInfo } from '@coxswain/sdk';
import { withAuthenticatedGroup } from './authentication.js';
import { type Authorization, forbidden } from './authorization.js';

const AUTHENTICATION = 'authentication.k8s.io';
const NODE_NAME = 'authentication.kubernetes.io/node-name';
const ASSOCIATED = 'authentication.kubernetes.io/associated-node-keys';

export interface Impersonated {
  readonly user: UserInfo;
  /** The verb that allowed it; undefined when the unconstrained one did. */
  readonly constraint: string | undefined;
}

interface Mode {
  readonly name: string;
  readonly applies: (wanted: UserInfo, requester: UserInfo) => boolean;
  /** As whom it is asked. */
  readonly requester?: (user: UserInfo) => UserInfo;
  /** Asked for every name of nodes at once. */
  readonly anyName?: boolean;
}

/** Narrow permissions first: each needs who may be impersonated, and what may be done as them. */
const MODES: readonly Mode[] = [
  {
    name: 'associated-node',
    applies: (wanted, { name, extra }) => {
      const [node, ...more] = extra?.[NODE_NAME] ?? [];
      return onlyName(wanted) && node !== undefined && more.length === 0 && nodeOf(wanted.name) === node && serviceAccountOf(name) !== undefined;
    },
    requester: (user) => ({ ...user, extra: { [ASSOCIATED]: Object.keys(user.extra ?? {}).sort() } }),
    anyName: true,
  },
  { name: 'arbitrary-node', applies: (wanted) => onlyName(wanted) && nodeOf(wanted.name) !== undefined },
  { name: 'serviceaccount', applies: (wanted) => onlyName(wanted) && serviceAccountOf(wanted.name) !== undefined },
  { name: 'user-info', applies: ({ name }) => nodeOf(name) === undefined && serviceAccountOf(name) === undefined },
];

/**
 * Who a request becomes that asks to be `wanted`: by the first mode that allows it, the verb `impersonate` last. Throws 403 in the words
 * of the first that does not. `request`: what is to be done, as the real user.
 */
export async function impersonatedUser(wanted: UserInfo, request: AuthorizationAttributes, authorization: Authorization): Promise<Impersonated> {
  let first: unknown;
  for (const mode of MODES) {
    if (!mode.applies(wanted, request.user)) continue;
    const requester = mode.requester?.(request.user) ?? request.user;
    const constraint = `impersonate:${mode.name}`;
    try {
      await authorization.require({ ...request, user: requester, verb: `impersonate-on:${mode.name}:${request.verb}` });
      return { user: await allowed(wanted, requester, constraint, authorization, mode.anyName === true), constraint };
    } catch (error) {
      first ??= error;
    }
  }
  try {
    return { user: await allowed(wanted, request.user, 'impersonate', authorization, false), constraint: undefined };
  } catch (error) {
    throw first ?? error;
  }
}

/** `wanted` with the groups it gets, after checking that `requester` may be it by this verb. */
async function allowed(wanted: UserInfo, requester: UserInfo, verb: string, authorization: Authorization, anyName: boolean): Promise<UserInfo> {
  const constrained = verb !== 'impersonate';
  const about = (group: string, resource: string, name: string, more: object = {}): AuthorizationAttributes => ({
    user: requester,
    verb,
    target: { type: 'resource', group, version: 'v1', resource, name, ...more },
  });
  const naming = constrained ? AUTHENTICATION : '';
  const account = serviceAccountOf(wanted.name);
  const node = constrained ? nodeOf(wanted.name) : undefined;
  let { groups } = wanted;
  if (account) {
    await authorization.require(about(naming, 'serviceaccounts', account.name, { namespace: account.namespace }));
    if (groups.length === 0) groups = ['system:serviceaccounts', `system:serviceaccounts:${account.namespace}`];
  } else if (node !== undefined) {
    await authorization.require(about(naming, 'nodes', anyName ? '*' : node));
    groups = ['system:nodes'];
  } else await authorization.require(about(naming, 'users', wanted.name));
  if (wanted.uid) await authorization.require(about(AUTHENTICATION, 'uids', wanted.uid));
  for (const group of wanted.groups) {
    const attributes = about(naming, 'groups', group);
    if (constrained && group === 'system:masters') throw forbidden(attributes, 'impersonating the system:masters group is not allowed');
    await authorization.require(attributes);
  }
  for (const [key, values] of Object.entries(wanted.extra ?? {})) {
    const problem = constrained ? extraProblem(key, values) : undefined;
    if (problem !== undefined) throw forbidden(about(AUTHENTICATION, 'userextras', ''), problem);
    for (const value of values) await authorization.require(about(AUTHENTICATION, 'userextras', value, { subresource: key }));
  }
  const user = { ...wanted, groups };
  if (user.name !== 'system:anonymous') return withAuthenticatedGroup(user);
  return user.groups.includes('system:unauthenticated') ? user : { ...user, groups: [...groups, 'system:unauthenticated'] };
}

function extraProblem(key: string, values: readonly string[]): string | undefined {
  if (names.isDomainPrefixedPath(key).length > 0) return `impersonating an invalid key in extra is not allowed: ${JSON.stringify(key)}`;
  if (key !== key.toLowerCase()) return `impersonating a non-lowercase key in extra is not allowed: ${JSON.stringify(key)}`;
  return values.length === 0 ? 'impersonating empty values in extra is not allowed' : undefined;
}

const onlyName = ({ uid, groups, extra }: UserInfo): boolean => !uid && groups.length === 0 && Object.keys(extra ?? {}).length === 0;

function nodeOf(user: string): string | undefined {
  const name = /^system:node:(.+)$/.exec(user)?.[1];
  return name !== undefined && names.isDNS1123Subdomain(name).length === 0 ? name : undefined;
}

function serviceAccountOf(user: string): { readonly namespace: string; readonly name: string } | undefined {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user) ?? [];
  return namespace !== undefined && name !== undefined ? { namespace, name } : undefined;
}
