import { ApiError } from '@coxswain/apimachinery';
import type { AuthorizationAttributes, AuthorizationResult, Authorizer } from '@coxswain/sdk';
import type { MaybePromise } from '../request/maybe-promise.js';
import type { RequestContext } from '../request/request-context.js';

const neverAborts = new AbortController().signal;
const NO_OPINION: AuthorizationResult = { decision: 'no-opinion' };
const MASTERS = 'system:masters';

/** Asks the authorizers in order until one allows or denies. */
export class Authorization {
  constructor(readonly authorizers: readonly Authorizer[]) {}

  authorize(attributes: AuthorizationAttributes): MaybePromise<AuthorizationResult> {
    if (attributes.user.groups.includes(MASTERS)) return { decision: 'allow' };
    return this.#ask(attributes, 0, '');
  }

  /** Throws (or rejects with) 403 in upstream's words. */
  check(context: RequestContext, verb = context.info.verb): MaybePromise<void> {
    if (context.user.groups.includes(MASTERS)) return;
    const attributes = attributesOf(context, verb);
    const result = this.authorize(attributes);
    if (result instanceof Promise) return result.then((value) => enforce(value, attributes));
    enforce(result, attributes);
  }

  async require(attributes: AuthorizationAttributes): Promise<void> {
    enforce(await this.authorize(attributes), attributes);
  }

  #ask(attributes: AuthorizationAttributes, from: number, reasons: string): MaybePromise<AuthorizationResult> {
    let reason = reasons;
    for (let i = from; i < this.authorizers.length; i++) {
      const result = (this.authorizers[i] as Authorizer).authorize(attributes, neverAborts);
      if (result instanceof Promise)
        return result.then((value) => (value.decision === 'no-opinion' ? this.#ask(attributes, i + 1, join(reason, value.reason)) : value));
      if (result.decision !== 'no-opinion') return result;
      reason = join(reason, result.reason);
    }
    return reason === '' ? NO_OPINION : { decision: 'no-opinion', reason };
  }
}

function join(reasons: string, reason: string | undefined): string {
  return reason ? (reasons === '' ? reason : `${reasons}, ${reason}`) : reasons;
}

export function attributesOf(context: RequestContext, verb: string): AuthorizationAttributes {
  const { resource, path } = context.info;
  const user = context.user;
  if (!resource) return { user, verb, target: { type: 'path', path } };
  const { group, version, namespace, name, subresource } = resource;
  const selectors = verb === 'list' || verb === 'watch' || verb === 'deletecollection';
  const fieldSelector = selectors ? context.query.get('fieldSelector') : null;
  const labelSelector = selectors ? context.query.get('labelSelector') : null;
  return {
    user,
    verb,
    target: {
      type: 'resource',
      group,
      version,
      resource: resource.resource,
      ...(subresource === '' ? {} : { subresource }),
      ...(namespace === '' ? {} : { namespace }),
      ...(name === '' ? {} : { name }),
      ...(fieldSelector ? { fieldSelector } : {}),
      ...(labelSelector ? { labelSelector } : {}),
    },
  };
}

function enforce(result: AuthorizationResult, attributes: AuthorizationAttributes): void {
  if (result.decision !== 'allow') throw forbidden(attributes, result.reason);
}

export function forbidden({ user, verb, target }: AuthorizationAttributes, reason: string | undefined): ApiError {
  const tail = reason ? `: ${reason}` : '';
  if (target.type === 'path')
    return ApiError.forbidden(undefined, '', `User ${JSON.stringify(user.name)} cannot ${verb} path ${JSON.stringify(target.path)}${tail}`);
  const resource = target.subresource ? `${target.resource}/${target.subresource}` : target.resource;
  const where = target.namespace ? `in the namespace ${JSON.stringify(target.namespace)}` : 'at the cluster scope';
  const what = `User ${JSON.stringify(user.name)} cannot ${verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(target.group)} ${where}${tail}`;
  return ApiError.forbidden({ group: target.group, resource: target.resource }, target.name ?? '', what);
}
