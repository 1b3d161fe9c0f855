import { ApiError } from '@coxswain/apimachinery';
import type { UserInfo } from '@coxswain/sdk';
import type { MaybePromise } from '../request/maybe-promise.js';
import { RequestContext } from '../request/request-context.js';
import { attributesOf, type Authorization } from './authorization.js';
import { impersonatedUser } from './impersonation-modes.js';

const EXTRA_PREFIX = 'impersonate-extra-';

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
  const wanted: UserInfo = { name: user, groups, ...(uid ? { uid } : {}), ...(Object.keys(extra).length > 0 ? { extra } : {}) };
  const { user: effective, constraint } = await impersonatedUser(wanted, attributesOf(context, context.info.verb), authorization);
  const changed = new RequestContext(context.request, context.info, context.query, effective, context.auditId, context.receivedAt);
  changed.impersonationConstraint = constraint;
  return changed;
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
