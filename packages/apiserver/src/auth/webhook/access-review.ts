import { parseFieldSelector, parseLabelSelector } from '@coxswain/apimachinery';
import type { AuthorizationAttributes } from '@coxswain/sdk';

export interface AccessReview {
  readonly apiVersion: string;
  readonly kind: 'SubjectAccessReview';
  readonly metadata?: object;
  readonly spec: object;
  readonly status?: { readonly allowed?: boolean; readonly denied?: boolean; readonly reason?: string; readonly evaluationError?: string };
}

/** The question an authorizer is asked, as a review. v1beta1 says `group` where v1 says `groups`. */
export function accessReview({ user, verb, target }: AuthorizationAttributes, version: 'v1' | 'v1beta1'): AccessReview {
  const { name, groups, uid, extra } = user;
  const about =
    target.type === 'path'
      ? { nonResourceAttributes: { path: target.path, verb } }
      : {
          resourceAttributes: {
            ...(target.namespace ? { namespace: target.namespace } : {}),
            verb,
            ...(target.group ? { group: target.group } : {}),
            version: target.version,
            resource: target.resource,
            ...(target.subresource ? { subresource: target.subresource } : {}),
            ...(target.name ? { name: target.name } : {}),
            ...selectors(target),
          },
        };
  const spec = { ...about, user: name, [version === 'v1' ? 'groups' : 'group']: groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) };
  return { apiVersion: `authorization.k8s.io/${version}`, kind: 'SubjectAccessReview', metadata: {}, spec };
}

const LABEL_OPERATORS: Readonly<Record<string, string>> = {
  '=': 'In',
  '==': 'In',
  in: 'In',
  '!=': 'NotIn',
  notin: 'NotIn',
  exists: 'Exists',
  '!': 'DoesNotExist',
};

/** Selectors that do not parse are left out: the request will be refused for them later, and must not be allowed more for it. */
function selectors({ fieldSelector, labelSelector }: { readonly fieldSelector?: string; readonly labelSelector?: string }): object {
  const out: Record<string, unknown> = {};
  try {
    if (fieldSelector) {
      const requirements = parseFieldSelector(fieldSelector).requirements.map(({ field, operator, value }) => ({
        key: field,
        operator: operator === '=' ? 'In' : 'NotIn',
        values: [value],
      }));
      if (requirements.length > 0) out.fieldSelector = { requirements };
    }
    if (labelSelector) {
      const requirements = parseLabelSelector(labelSelector).requirements.flatMap(({ key, operator, values }) => {
        const name = LABEL_OPERATORS[operator];
        return name ? [{ key, operator: name, ...(name === 'In' || name === 'NotIn' ? { values } : {}) }] : [];
      });
      if (requirements.length > 0) out.labelSelector = { requirements };
    }
  } catch {
    // As said.
  }
  return out;
}
