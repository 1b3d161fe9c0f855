import type { ClusterRoleBinding, RbacSubject, RoleBinding } from '../../generated/types.js';
import { ageColumn, column, createdAtTextColumn, nameColumn } from '../../printing/column.js';
import { clusterRoleBindingStrategy, clusterRoleStrategy, roleBindingStrategy, roleStrategy } from '../../strategies/rbac.js';
import { defineGroup } from '../define.js';

type Binding = RoleBinding | ClusterRoleBinding;

const subjects = (kind: string, show: (subject: RbacSubject) => string) => (binding: Binding) =>
  (binding.subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map(show)
    .join(', ');

const bindingColumns = [
  nameColumn,
  column<Binding>('Role', ({ roleRef }) => `${roleRef.kind}/${roleRef.name}`),
  ageColumn,
  column<Binding>(
    'Users*',
    subjects('User', ({ name }) => name),
  ),
  column<Binding>(
    'Groups*',
    subjects('Group', ({ name }) => name),
  ),
  column<Binding>(
    'ServiceAccounts*',
    subjects('ServiceAccount', ({ namespace, name }) => `${namespace}/${name}`),
  ),
];

export const rbac = defineGroup('rbac.authorization.k8s.io', 'v1', 'io.k8s.api.rbac.v1', [
  {
    kind: 'ClusterRole',
    resource: 'clusterroles',
    namespaced: false,
    strategy: clusterRoleStrategy,
    columns: [nameColumn, createdAtTextColumn],
  },
  {
    kind: 'ClusterRoleBinding',
    resource: 'clusterrolebindings',
    namespaced: false,
    strategy: clusterRoleBindingStrategy,
    columns: bindingColumns,
  },
  { kind: 'Role', resource: 'roles', strategy: roleStrategy, columns: [nameColumn, createdAtTextColumn] },
  { kind: 'RoleBinding', resource: 'rolebindings', strategy: roleBindingStrategy, columns: bindingColumns },
]);
