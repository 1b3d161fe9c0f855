import type { KubeClient } from '@coxswain/client';

/** Who the cloud controller manager is. */
export const CLOUD_CONTROLLER_MANAGER = 'system:cloud-controller-manager';

const rule = (verbs: string, apiGroup: string, resources: string) => ({ apiGroups: [apiGroup], resources: resources.split(' '), verbs: verbs.split(' ') });

/** What its controllers do: initialise and remove nodes, keep load balancers of services, elect a leader, tell of it. */
const clusterRole = {
  metadata: { name: CLOUD_CONTROLLER_MANAGER },
  rules: [
    rule('get list watch update patch delete', '', 'nodes'),
    rule('patch update', '', 'nodes/status'),
    rule('get list watch update patch', '', 'services'),
    rule('patch update', '', 'services/status'),
    rule('create patch update', '', 'events'),
    rule('create patch update', 'events.k8s.io', 'events'),
    rule('get list watch create update patch', 'coordination.k8s.io', 'leases'),
  ],
};

const clusterRoleBinding = {
  metadata: { name: CLOUD_CONTROLLER_MANAGER },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: CLOUD_CONTROLLER_MANAGER },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: CLOUD_CONTROLLER_MANAGER }],
};

/** Applies the roles of what runs for the cloud. `admin` must be allowed everything it grants. */
export async function applyCloudPolicy(admin: KubeClient, signal: AbortSignal): Promise<void> {
  const options = { fieldManager: 'coxswain', force: true, signal };
  await Promise.all([admin.api.clusterRoles().apply(clusterRole, options), admin.api.clusterRoleBindings().apply(clusterRoleBinding, options)]);
}
