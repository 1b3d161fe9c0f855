import { controllerRoles } from './controller-roles.js';
import type { BootstrapBinding, BootstrapRole } from './policy-types.js';
import { EVENTS, READ, rule } from './policy-types.js';

const group = (name: string) => ({ kind: 'Group', name }) as const;
const user = (name: string) => ({ kind: 'User', name }) as const;
const serviceAccount = (name: string, namespace = 'kube-system') => ({ kind: 'ServiceAccount', name, namespace }) as const;
const CONTROLLER = 'system:controller:';

export const clusterRoleBindings: readonly BootstrapBinding[] = [
  { name: 'cluster-admin', role: 'cluster-admin', subjects: [group('system:masters')] },
  { name: 'system:monitoring', role: 'system:monitoring', subjects: [group('system:monitoring')] },
  { name: 'system:discovery', role: 'system:discovery', subjects: [group('system:authenticated')] },
  { name: 'system:basic-user', role: 'system:basic-user', subjects: [group('system:authenticated')] },
  { name: 'system:public-info-viewer', role: 'system:public-info-viewer', subjects: [group('system:authenticated'), group('system:unauthenticated')] },
  { name: 'system:service-account-issuer-discovery', role: 'system:service-account-issuer-discovery', subjects: [group('system:serviceaccounts')] },
  { name: 'system:cluster-trust-bundle-discovery', role: 'system:cluster-trust-bundle-discovery', subjects: [group('system:serviceaccounts')] },
  { name: 'system:node-proxier', role: 'system:node-proxier', subjects: [user('system:kube-proxy')] },
  { name: 'system:kube-controller-manager', role: 'system:kube-controller-manager', subjects: [user('system:kube-controller-manager')] },
  { name: 'system:kube-dns', role: 'system:kube-dns', subjects: [serviceAccount('kube-dns')] },
  { name: 'system:kube-scheduler', role: 'system:kube-scheduler', subjects: [user('system:kube-scheduler')] },
  { name: 'system:volume-scheduler', role: 'system:volume-scheduler', subjects: [user('system:kube-scheduler')] },
  // The node authorizer decides for nodes: upstream keeps the binding without subjects.
  { name: 'system:node', role: 'system:node', subjects: [] },
  ...controllerRoles.map(({ name }) => ({ name, role: name, subjects: [serviceAccount(name.slice(CONTROLLER.length))] })),
];

/** Roles in namespaces. */
export const roles: readonly (BootstrapRole & { readonly namespace: string })[] = [
  {
    namespace: 'kube-system',
    name: 'extension-apiserver-authentication-reader',
    rules: [rule(READ, 'core', 'configmaps', 'extension-apiserver-authentication')],
  },
  { namespace: 'kube-system', name: 'system:controller:bootstrap-signer', rules: [rule(READ, 'core', 'secrets')] },
  { namespace: 'kube-system', name: 'system:controller:cloud-provider', rules: [rule('create get list watch', 'core', 'configmaps')] },
  { namespace: 'kube-system', name: 'system:controller:token-cleaner', rules: [rule('delete get list watch', 'core', 'secrets'), EVENTS] },
  {
    namespace: 'kube-system',
    name: 'system::leader-locking-kube-controller-manager',
    rules: [rule('watch', 'core', 'configmaps'), rule('get update', 'core', 'configmaps', 'kube-controller-manager')],
  },
  {
    namespace: 'kube-system',
    name: 'system::leader-locking-kube-scheduler',
    rules: [rule('watch', 'core', 'configmaps'), rule('get update', 'core', 'configmaps', 'kube-scheduler')],
  },
  {
    namespace: 'kube-public',
    name: 'system:controller:bootstrap-signer',
    rules: [rule(READ, 'core', 'configmaps'), rule('update', 'core', 'configmaps', 'cluster-info'), EVENTS],
  },
];

export const roleBindings: readonly BootstrapBinding[] = [
  {
    namespace: 'kube-system',
    roleKind: 'Role',
    name: 'system::extension-apiserver-authentication-reader',
    role: 'extension-apiserver-authentication-reader',
    subjects: [user('system:kube-controller-manager'), user('system:kube-scheduler')],
  },
  {
    namespace: 'kube-system',
    roleKind: 'Role',
    name: 'system::leader-locking-kube-controller-manager',
    role: 'system::leader-locking-kube-controller-manager',
    subjects: [user('system:kube-controller-manager'), serviceAccount('kube-controller-manager')],
  },
  {
    namespace: 'kube-system',
    roleKind: 'Role',
    name: 'system::leader-locking-kube-scheduler',
    role: 'system::leader-locking-kube-scheduler',
    subjects: [user('system:kube-scheduler'), serviceAccount('kube-scheduler')],
  },
  {
    namespace: 'kube-system',
    roleKind: 'Role',
    name: 'system:controller:bootstrap-signer',
    role: 'system:controller:bootstrap-signer',
    subjects: [serviceAccount('bootstrap-signer')],
  },
  {
    namespace: 'kube-system',
    roleKind: 'Role',
    name: 'system:controller:cloud-provider',
    role: 'system:controller:cloud-provider',
    subjects: [serviceAccount('cloud-provider')],
  },
  {
    namespace: 'kube-system',
    roleKind: 'Role',
    name: 'system:controller:token-cleaner',
    role: 'system:controller:token-cleaner',
    subjects: [serviceAccount('token-cleaner')],
  },
  {
    namespace: 'kube-public',
    roleKind: 'Role',
    name: 'system:controller:bootstrap-signer',
    role: 'system:controller:bootstrap-signer',
    subjects: [serviceAccount('bootstrap-signer')],
  },
];
