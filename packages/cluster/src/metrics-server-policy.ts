import { isNotFound } from '@coxswain/apimachinery';
import type { KubeClient } from '@coxswain/client';

/** Who the metrics server is, as its client certificate says. */
const USER = 'system:coxswain:metrics-server';
const NAMESPACE = 'kube-system';
const SERVICE = 'metrics-server';
const API_SERVICE = 'v1beta1.metrics.k8s.io';

const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: USER }];
const ref = (kind: 'ClusterRole' | 'Role', name = USER) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name });

/** What it reads, and what it publishes about itself. */
const clusterRole = {
  metadata: { name: USER },
  rules: [
    { apiGroups: [''], resources: ['nodes', 'pods', 'namespaces'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['nodes/metrics', 'nodes/stats'], verbs: ['get'] },
    { apiGroups: ['apiregistration.k8s.io'], resources: ['apiservices'], verbs: ['create'] },
    { apiGroups: ['apiregistration.k8s.io'], resources: ['apiservices'], resourceNames: [API_SERVICE], verbs: ['get', 'update', 'patch'] },
  ],
};
const role = {
  metadata: { name: USER, namespace: NAMESPACE },
  rules: [
    { apiGroups: [''], resources: ['services'], verbs: ['create'] },
    { apiGroups: [''], resources: ['services'], resourceNames: [SERVICE], verbs: ['get', 'update', 'patch'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['create', 'get', 'update', 'patch', 'delete'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices/restricted'], verbs: ['create'] },
  ],
};
/** As upstream's aggregated servers get them: what may be asked of the API server about others. */
const delegator = { metadata: { name: `${USER}:auth-delegator` }, roleRef: ref('ClusterRole', 'system:auth-delegator'), subjects };
const reader = {
  metadata: { name: `${USER}:auth-reader`, namespace: NAMESPACE },
  roleRef: ref('Role', 'extension-apiserver-authentication-reader'),
  subjects,
};
const clusterRoleBinding = { metadata: { name: USER }, roleRef: ref('ClusterRole'), subjects };
const roleBinding = { metadata: { name: USER, namespace: NAMESPACE }, roleRef: ref('Role'), subjects };
/** People see what they may see of pods and nodes: upstream's manifest adds it to the built-in roles. */
const aggregated = {
  metadata: {
    name: 'system:aggregated-metrics-reader',
    labels: {
      'rbac.authorization.k8s.io/aggregate-to-view': 'true',
      'rbac.authorization.k8s.io/aggregate-to-edit': 'true',
      'rbac.authorization.k8s.io/aggregate-to-admin': 'true',
    },
  },
  rules: [{ apiGroups: ['metrics.k8s.io'], resources: ['pods', 'nodes'], verbs: ['get', 'list', 'watch'] }],
};

/** Applies the roles of the metrics server. `admin` must be allowed everything it grants. */
export async function applyMetricsServerPolicy(admin: KubeClient, signal: AbortSignal): Promise<void> {
  const { clusterRoles, clusterRoleBindings, roles, roleBindings } = admin.api;
  const options = { fieldManager: 'coxswain', force: true, signal };
  await Promise.all([
    clusterRoles().apply(clusterRole, options),
    clusterRoles().apply(aggregated, options),
    roles(NAMESPACE).apply(role, options),
    clusterRoleBindings().apply(clusterRoleBinding, options),
    clusterRoleBindings().apply(delegator, options),
    roleBindings(NAMESPACE).apply(roleBinding, options),
    roleBindings(NAMESPACE).apply(reader, options),
  ]);
}

/** A cluster that had the metrics server and is to be without: nobody serves its API any more. One of somebody else's stays. */
export async function removeMetricsApi(admin: KubeClient, signal: AbortSignal): Promise<void> {
  const missing = (error: unknown): undefined => {
    if (!isNotFound(error)) throw error;
  };
  const [api, service] = await Promise.all([
    admin.api.apiServices().get(API_SERVICE, { signal }).catch(missing),
    admin.api.services(NAMESPACE).get(SERVICE, { signal }).catch(missing),
  ]);
  const of = api?.spec?.service;
  if (of?.name !== SERVICE || of.namespace !== NAMESPACE || Object.keys(service?.spec?.selector ?? {}).length > 0) return;
  await admin.api.apiServices().delete(API_SERVICE, { signal }).catch(missing);
  if (service) await admin.api.services(NAMESPACE).delete(SERVICE, { signal }).catch(missing);
}
