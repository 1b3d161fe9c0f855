import { defaultBinding } from '../defaults/others.js';
import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from '../generated/types.js';
import { nameIsPathSegment } from '../validation/names.js';
import { validateBinding, validateBindingUpdate, validateRole } from '../validation/rbac.js';
import type { StrategyParts } from './lifecycle.js';

const common = { validateName: nameIsPathSegment, allowCreateOnUpdate: true } satisfies StrategyParts;

export const roleStrategy: StrategyParts = { ...common, validate: (object) => validateRole(object as Role, true) };

export const clusterRoleStrategy: StrategyParts = {
  ...common,
  validate: (object) => validateRole(object as ClusterRole, false),
};

const binding: StrategyParts = {
  ...common,
  default: (object) => defaultBinding(object as RoleBinding | ClusterRoleBinding),
  validateUpdate: (object, old) => validateBindingUpdate(object as RoleBinding, old as RoleBinding),
};

export const roleBindingStrategy: StrategyParts = {
  ...binding,
  validate: (object) => validateBinding(object as RoleBinding, true),
};

export const clusterRoleBindingStrategy: StrategyParts = {
  ...binding,
  validate: (object) => validateBinding(object as ClusterRoleBinding, false),
};
