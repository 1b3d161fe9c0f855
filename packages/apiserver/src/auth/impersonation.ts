import { ApiError } from '@coxswain/apimachinery';
import type { UserInfo } from '@coxswain/sdk';
import type { MaybePromise } from '../request/maybe-promise.js';
import { RequestContext } from '../request/request-context.js';
import { withAuthenticatedGroup } from './authentication.js';
import type { Authorization } from './authorization.js';

const EXTRA_PREFIX = 'impersonate-extra-';
const SERVICE_ACCOUNT = 'system:serviceaccount:';

/** The context as the user the headers ask for, after checking that the real one may do that. */
export function impersonate(context: RequestContext, authorization: Authorization): MaybePromise<RequestContext> {
  const { headers } = context.request;
  if (headers['impersonate-user'] === undefined && headers['impersonate-group'] === undefined && headers['impersonate-uid'] === undefined) return context;
  return change(context, authorization);
}

async function change(context: RequestContext, authorization: Authorization): Promise<RequestContext> {
  const { headers } = context.request;
  const user = one(headers['impersonate-user']);
  if (!user) throw ApiError.badRequest('requested without impersonating a user');
  const groups = many(headers['impersonate-group']);
  const uid = one(headers['impersonate-uid']);
  const extra: Record<string, string[]> = {};
  for (const name in headers) {
    if (name.startsWith(EXTRA_PREFIX)) extra[decodeKey(name.slice(EXTRA_PREFIX.length))] = many(headers[name]);
  }
  const require = (group: string, resource: string, subresource: string, namespace: string, name: string) =>
    authorization.require({
      user: context.user,
      verb: 'impersonate',
      target: {
        type: 'resource',
        group,
        version: 'v1',
        resource,
        name,
        ...(subresource === '' ? {} : { subresource }),
        ...(namespace === '' ? {} : { namespace }),
      },
    });
  let effectiveGroups = groups;
  if (user.startsWith(SERVICE_ACCOUNT)) {
    const [namespace = '', name = ''] = user.slice(SERVICE_ACCOUNT.length).split(':');
    await require('', 'serviceaccounts', '', namespace, name);
    if (groups.length === 0) effectiveGroups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
  } else await require('', 'users', '', '', user);
  for (const group of groups) await require('', 'groups', '', '', group);
  if (uid) await require('authentication.k8s.io', 'uids', '', '', uid);
  for (const [key, values] of Object.entries(extra)) for (const value of values) await require('authentication.k8s.io', 'userextras', key, '', value);
  const wanted: UserInfo = { name: user, groups: effectiveGroups, ...(uid ? { uid } : {}), ...(Object.keys(extra).length > 0 ? { extra } : {}) };
  const effective = user === 'system:anonymous' ? { ...wanted, groups: [...wanted.groups, 'system:unauthenticated'] } : withAuthenticatedGroup(wanted);
  return new RequestContext(context.request, context.info, context.query, effective, context.auditId, context.receivedAt);
}

const one = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);

// Node joins repeated headers with ', '.
const many = (value: string | string[] | undefined): string[] =>
  value === undefined ? [] : (Array.isArray(value) ? value : value.split(', ')).filter((v) => v !== '');

function decodeKey(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
