import type { KubeClient } from '@coxswain/client';

/** Who cluster DNS is, as its client certificate says. */
const DNS_USER = 'system:coxswain:dns';

const MANAGER = 'coxswain';
const NAMESPACE = 'kube-system';
const NAME = 'system:coxswain:dns';
const role = (kind: 'ClusterRole' | 'Role') => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name: NAME });
const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: DNS_USER }];

/** What add-ons of this project may do: read what they serve, write what they publish. */
const clusterRole = {
  metadata: { name: NAME },
  rules: [
    { apiGroups: [''], resources: ['services', 'namespaces', 'pods'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] },
  ],
};
const publisherRole = {
  metadata: { name: NAME, namespace: NAMESPACE },
  rules: [
    { apiGroups: [''], resources: ['services'], verbs: ['create', 'update', 'patch', 'delete'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['create', 'update', 'patch', 'delete'] },
    // EndpointSlices that point outside of the pod network need a right of their own.
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices/restricted'], verbs: ['create'] },
  ],
};

const clusterRoleBinding = { metadata: { name: NAME }, roleRef: role('ClusterRole'), subjects };
const publisherRoleBinding = { metadata: { name: NAME, namespace: NAMESPACE }, roleRef: role('Role'), subjects };

/** The pod network reads all Nodes, and says on its own what others need to know; it is not told apart by node. */
const sdnName = 'system:coxswain:sdn';
const sdnRole = {
  metadata: { name: sdnName },
  rules: [
    { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['nodes/status'], verbs: ['patch'] },
  ],
};
const sdnRoleBinding = {
  metadata: { name: sdnName },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: sdnName },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: sdnName }],
};

/** Applies the role of the pod network of several hosts. */
export async function applyPodNetworkPolicy(admin: KubeClient, signal: AbortSignal): Promise<void> {
  const options = { fieldManager: MANAGER, force: true, signal };
  await admin.api.clusterRoles().apply(sdnRole, options);
  await admin.api.clusterRoleBindings().apply(sdnRoleBinding, options);
}

/** Applies the roles of add-ons. `admin` must be allowed everything it grants. */
export async function applyAddonPolicy(admin: KubeClient, signal: AbortSignal): Promise<void> {
  const { clusterRoles, clusterRoleBindings, roles, roleBindings } = admin.api;
  const options = { fieldManager: MANAGER, force: true, signal };
  await clusterRoles().apply(clusterRole, options);
  await clusterRoleBindings().apply(clusterRoleBinding, options);
  await roles(NAMESPACE).apply(publisherRole, options);
  await roleBindings(NAMESPACE).apply(publisherRoleBinding, options);
}
