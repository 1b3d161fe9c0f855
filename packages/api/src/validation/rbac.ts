import type { FieldError } from '../field-error.js';
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding } from '../generated/types.js';
import { each, requiredText, validateLabelSelector } from './common.js';
import { invalid, invalids, notSupported, required } from './errors.js';
import { isDNS1123Subdomain, nameIsPathSegment } from './names.js';
import { immutable } from './object-meta.js';

const GROUP = 'rbac.authorization.k8s.io';

export function validateRole(role: Role | ClusterRole, namespaced: boolean): FieldError[] {
  const errors = each(role.rules, 'rules', (rule, path) => validateRule(rule, path, namespaced));
  const selectors = 'aggregationRule' in role ? role.aggregationRule?.clusterRoleSelectors : undefined;
  if ('aggregationRule' in role && role.aggregationRule) {
    if ((selectors ?? []).length === 0) {
      errors.push(required('aggregationRule.clusterRoleSelectors', 'at least one clusterRoleSelector required if aggregationRule is non-nil'));
    }
    errors.push(...each(selectors, 'aggregationRule.clusterRoleSelectors', (selector, path) => validateLabelSelector(selector, path)));
  }
  return errors;
}

function validateRule(
  { verbs = [], resources = [], apiGroups = [], nonResourceURLs = [], resourceNames = [] }: PolicyRule,
  field: string,
  namespaced: boolean,
): FieldError[] {
  const errors: FieldError[] = [];
  if (verbs.length === 0) errors.push(required(`${field}.verbs`, 'verbs must contain at least one value'));
  if (nonResourceURLs.length > 0) {
    if (namespaced) errors.push(invalid(`${field}.nonResourceURLs`, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'));
    if (apiGroups.length > 0 || resources.length > 0 || resourceNames.length > 0) {
      errors.push(invalid(`${field}.nonResourceURLs`, nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'));
    }
    return errors;
  }
  if (apiGroups.length === 0) errors.push(required(`${field}.apiGroups`, 'resource rules must supply at least one api group'));
  if (resources.length === 0) errors.push(required(`${field}.resources`, 'resource rules must supply at least one resource'));
  return errors;
}

export function validateBinding({ roleRef, subjects }: RoleBinding | ClusterRoleBinding, namespaced: boolean): FieldError[] {
  const errors: FieldError[] = [];
  if (roleRef.apiGroup !== GROUP) errors.push(notSupported('roleRef.apiGroup', roleRef.apiGroup, [GROUP]));
  const kinds = namespaced ? ['Role', 'ClusterRole'] : ['ClusterRole'];
  if (!kinds.includes(roleRef.kind)) errors.push(notSupported('roleRef.kind', roleRef.kind, kinds));
  if (!roleRef.name) errors.push(required('roleRef.name'));
  else errors.push(...invalids('roleRef.name', roleRef.name, nameIsPathSegment(roleRef.name, false)));
  return [
    ...errors,
    ...each(subjects, 'subjects', ({ kind, name, namespace, apiGroup = '' }, path) => {
      const found = requiredText(name, `${path}.name`);
      switch (kind) {
        case 'ServiceAccount':
          if (name) found.push(...invalids(`${path}.name`, name, isDNS1123Subdomain(name)));
          if (apiGroup !== '') found.push(notSupported(`${path}.apiGroup`, apiGroup, ['']));
          // In a RoleBinding it is the binding's.
          if (!namespaced && !namespace) found.push(required(`${path}.namespace`));
          break;
        case 'User':
        case 'Group':
          if (apiGroup !== GROUP) found.push(notSupported(`${path}.apiGroup`, apiGroup, [GROUP]));
          break;
        default:
          found.push(notSupported(`${path}.kind`, kind, ['ServiceAccount', 'User', 'Group']));
      }
      return found;
    }),
  ];
}

export function validateBindingUpdate({ roleRef }: RoleBinding | ClusterRoleBinding, old: RoleBinding | ClusterRoleBinding): FieldError[] {
  return immutable(roleRef, old.roleRef, 'roleRef').map((error) => ({
    ...error,
    message: error.message.replace('field is immutable', 'cannot change roleRef'),
  }));
}
