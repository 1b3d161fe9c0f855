import type { KubeClient } from '@coxswain/client';
import { applyMetricsServerPolicy } from './metrics-server-policy.js';

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

/** Who enforces network policies, and what it may read to know who is who. */
const POLICY_NAME = 'system:coxswain:network-policy';
const policyRole = {
  metadata: { name: POLICY_NAME },
  rules: [
    { apiGroups: [''], resources: ['pods', 'namespaces'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: ['get', 'list', 'watch'] },
  ],
};
const policyRoleBinding = {
  metadata: { name: POLICY_NAME },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: POLICY_NAME },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: POLICY_NAME }],
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

/** Who the logging add-on is; it reads pods' labels and announces its search API. */
const LOGGING = 'system:coxswain:logging';
const loggingSubjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: LOGGING }];
const loggingClusterRole = {
  metadata: { name: LOGGING },
  rules: [
    { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['apiregistration.k8s.io'], resources: ['apiservices'], verbs: ['create'] },
    { apiGroups: ['apiregistration.k8s.io'], resources: ['apiservices'], resourceNames: ['v1alpha1.logs.coxswain.dev'], verbs: ['get', 'patch'] },
  ],
};
const loggingRole = {
  metadata: { name: LOGGING, namespace: NAMESPACE },
  rules: [
    { apiGroups: [''], resources: ['services'], verbs: ['create'] },
    { apiGroups: [''], resources: ['services'], resourceNames: ['coxswain-logging'], verbs: ['get', 'patch'] },
    { apiGroups: [''], resources: ['configmaps'], resourceNames: ['extension-apiserver-authentication'], verbs: ['get'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'create', 'patch', 'delete'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices/restricted'], verbs: ['create'] },
  ],
};
/** Whoever may view a namespace may search its logs, as upstream's `view` lets them read pods' logs. */
const logSearchRole = {
  metadata: { name: 'coxswain:log-search', labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } },
  rules: [{ apiGroups: ['logs.coxswain.dev'], resources: ['podlogs'], verbs: ['get'] }],
};

/** Applies the roles of add-ons. `admin` must be allowed everything it grants. */
export async function applyAddonPolicy(admin: KubeClient, signal: AbortSignal): Promise<void> {
  const { clusterRoles, clusterRoleBindings, roles, roleBindings } = admin.api;
  const options = { fieldManager: MANAGER, force: true, signal };
  await clusterRoles().apply(clusterRole, options);
  await clusterRoleBindings().apply(clusterRoleBinding, options);
  await clusterRoles().apply(policyRole, options);
  await clusterRoleBindings().apply(policyRoleBinding, options);
  await roles(NAMESPACE).apply(publisherRole, options);
  await roleBindings(NAMESPACE).apply(publisherRoleBinding, options);
  const refTo = (kind: 'ClusterRole' | 'Role') => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name: LOGGING });
  await clusterRoles().apply(loggingClusterRole, options);
  await clusterRoles().apply(logSearchRole, options);
  await clusterRoleBindings().apply({ metadata: { name: LOGGING }, roleRef: refTo('ClusterRole'), subjects: loggingSubjects }, options);
  await roles(NAMESPACE).apply(loggingRole, options);
  await roleBindings(NAMESPACE).apply({ metadata: { name: LOGGING, namespace: NAMESPACE }, roleRef: refTo('Role'), subjects: loggingSubjects }, options);
  await applyMetricsServerPolicy(admin, signal);
}
