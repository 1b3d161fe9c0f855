import { ApiError } from '@coxswain/apimachinery';
import type { AuthorizationAttributes, UserInfo } from '@coxswain/sdk';
import type { ApiResponse } from '../request/api-request.js';
import { respondKind } from '../rest/respond.js';
import type { RequestContext } from '../request/request-context.js';
import type { PolicyRule } from '../rbac/rules.js';
import type { ActionHandler } from '../rest/resource-handler.js';
import type { ActionEnv } from './action-env.js';
import { readActionBody } from './read-action-body.js';
import { selectorOf, selectorProblems } from './review-selectors.js';
import type { SelectorAttributes } from './review-selectors.js';

const AUTHORIZATION = ['authorization.k8s.io/v1'];
const AUTHENTICATION = ['authentication.k8s.io/v1'];

interface ResourceAttributes {
  readonly namespace?: string;
  readonly verb?: string;
  readonly group?: string;
  readonly version?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly name?: string;
  readonly fieldSelector?: SelectorAttributes;
  readonly labelSelector?: SelectorAttributes;
}

interface AccessSpec {
  readonly resourceAttributes?: ResourceAttributes;
  readonly nonResourceAttributes?: { readonly path?: string; readonly verb?: string };
  readonly user?: string;
  readonly groups?: readonly string[];
  readonly uid?: string;
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

/** The handlers of the virtual resources of authentication.k8s.io and authorization.k8s.io, by name. */
export function reviewActions(env: ActionEnv): ReadonlyMap<string, ActionHandler> {
  const access = (
    kind: string,
    userOf: (spec: AccessSpec, context: RequestContext) => UserInfo,
    check?: (spec: AccessSpec, context: RequestContext) => void,
  ): ActionHandler =>
    posting(async (context) => {
      const review = await readActionBody(context, kind, AUTHORIZATION);
      const spec = (review.spec ?? {}) as AccessSpec;
      if (!spec.resourceAttributes === !spec.nonResourceAttributes) {
        throw ApiError.invalid({ group: 'authorization.k8s.io', kind }, '', [
          { type: 'FieldValueInvalid', field: 'spec', message: 'Invalid value: exactly one of nonResourceAttributes or resourceAttributes must be specified' },
        ]);
      }
      const problems = selectorProblems(spec.resourceAttributes ?? {});
      if (problems.length > 0) throw ApiError.invalid({ group: 'authorization.k8s.io', kind }, '', problems);
      check?.(spec, context);
      const result = await env.authorization.authorize(attributesOf(spec, userOf(spec, context)));
      const status = {
        allowed: result.decision === 'allow',
        ...(result.decision === 'deny' ? { denied: true } : {}),
        ...(result.reason ? { reason: result.reason } : {}),
      };
      return respondKind(context, 201, { ...review, metadata: { ...review.metadata }, status });
    });
  const named = (spec: AccessSpec, kind: string): UserInfo => {
    if (!spec.user && !spec.groups?.length) {
      throw ApiError.invalid({ group: 'authorization.k8s.io', kind }, '', [
        { type: 'FieldValueInvalid', field: 'spec.user', message: 'Invalid value: "": at least one of user or group must be specified' },
      ]);
    }
    return { name: spec.user ?? '', groups: spec.groups ?? [], ...(spec.uid ? { uid: spec.uid } : {}), ...(spec.extra ? { extra: spec.extra } : {}) };
  };
  return new Map<string, ActionHandler>([
    ['subjectaccessreview', access('SubjectAccessReview', (spec) => named(spec, 'SubjectAccessReview'))],
    [
      'localsubjectaccessreview',
      access(
        'LocalSubjectAccessReview',
        (spec) => named(spec, 'LocalSubjectAccessReview'),
        (spec, context) => {
          if (spec.nonResourceAttributes) {
            throw ApiError.invalid({ group: 'authorization.k8s.io', kind: 'LocalSubjectAccessReview' }, '', [
              {
                type: 'FieldValueInvalid',
                field: 'spec.nonResourceAttributes',
                message: `Invalid value: ${JSON.stringify(spec.nonResourceAttributes)}: disallowed on this kind of request`,
              },
            ]);
          }
          if (spec.resourceAttributes?.namespace !== context.resource.namespace)
            throw ApiError.badRequest(`spec.resourceAttributes.namespace must match namespace: ${context.resource.namespace}`);
        },
      ),
    ],
    ['selfsubjectaccessreview', access('SelfSubjectAccessReview', (_spec, context) => context.user)],
    ['selfsubjectrulesreview', posting((context) => rulesReview(env, context))],
    [
      'selfsubjectreview',
      posting(async (context) => {
        const review = await readActionBody(context, 'SelfSubjectReview', AUTHENTICATION);
        return respondKind(context, 201, { ...review, status: { userInfo: userInfo(context.user) } });
      }),
    ],
    ['tokenreview', posting((context) => tokenReview(env, context))],
  ]);
}

function posting(handler: (context: RequestContext) => Promise<ApiResponse>): ActionHandler {
  return (context, served) => {
    if (context.info.verb !== 'create') throw ApiError.methodNotSupported(served.groupResource, context.info.verb);
    return handler(context);
  };
}

function attributesOf(spec: AccessSpec, user: UserInfo): AuthorizationAttributes {
  const about = spec.resourceAttributes;
  if (!about) return { user, verb: spec.nonResourceAttributes?.verb ?? '', target: { type: 'path', path: spec.nonResourceAttributes?.path ?? '' } };
  return {
    user,
    verb: about.verb ?? '',
    target: {
      type: 'resource',
      group: about.group ?? '',
      version: about.version || '*',
      resource: about.resource ?? '',
      ...(about.subresource ? { subresource: about.subresource } : {}),
      ...(about.namespace ? { namespace: about.namespace } : {}),
      ...(about.name ? { name: about.name } : {}),
      ...selectorOf('fieldSelector', about.fieldSelector),
      ...selectorOf('labelSelector', about.labelSelector),
    },
  };
}

async function rulesReview(env: ActionEnv, context: RequestContext): Promise<ApiResponse> {
  const review = await readActionBody(context, 'SelfSubjectRulesReview', AUTHORIZATION);
  const namespace = (review.spec?.namespace ?? '') as string;
  if (namespace === '') throw ApiError.badRequest('no namespace on request');
  const rules: PolicyRule[] = env.rbac.rulesFor(context.user, namespace);
  if (context.user.groups.includes('system:masters'))
    rules.unshift({ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, { verbs: ['*'], nonResourceURLs: ['*'] });
  const status = {
    resourceRules: rules
      .filter((rule) => rule.resources?.length)
      .map(({ verbs = [], apiGroups = [], resources = [], resourceNames }) => ({
        verbs,
        apiGroups,
        resources,
        ...(resourceNames?.length ? { resourceNames } : {}),
      })),
    nonResourceRules: rules.filter((rule) => rule.nonResourceURLs?.length).map(({ verbs = [], nonResourceURLs = [] }) => ({ verbs, nonResourceURLs })),
    incomplete: false,
  };
  return respondKind(context, 201, { ...review, status });
}

async function tokenReview(env: ActionEnv, context: RequestContext): Promise<ApiResponse> {
  const review = await readActionBody(context, 'TokenReview', AUTHENTICATION);
  const { token = '', audiences } = (review.spec ?? {}) as { token?: string; audiences?: string[] };
  if (token === '') throw ApiError.badRequest('token is required for TokenReview in authentication');
  const wanted = audiences?.length ? audiences : env.apiAudiences;
  const question = { headers: { authorization: `Bearer ${token}` }, audiences: wanted };
  let status: object = { user: {}, error: 'invalid bearer token' };
  for (const authenticator of env.authentication.authenticators) {
    const result = await authenticator.authenticate(question, context.request.signal);
    if (result.type === 'user') {
      const groups = result.user.groups.includes('system:authenticated') ? result.user.groups : [...result.user.groups, 'system:authenticated'];
      const shared = result.audiences?.length ? result.audiences : wanted;
      status = { authenticated: true, user: userInfo({ ...result.user, groups }), audiences: shared };
      break;
    }
    if (result.type === 'failed') status = { user: {}, error: `invalid bearer token, ${result.message}` };
  }
  return respondKind(context, 201, { ...review, status });
}

export function userInfo({ name, uid, groups, extra }: UserInfo): object {
  return { username: name, ...(uid ? { uid } : {}), groups, ...(extra ? { extra } : {}) };
}
