import { isAlreadyExists } from '@coxswain/apimachinery';
import type { KubeClient } from '@coxswain/client';
import type { ClusterCloud } from './cluster-spec.js';

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

/** Who makes, attaches, grows and deletes the cloud's disks. */
export const CSI_CONTROLLER = 'system:csi-controller';

const csiRole = {
  metadata: { name: CSI_CONTROLLER },
  rules: [
    rule('get list watch create update patch delete', '', 'persistentvolumes'),
    rule('get list watch patch', '', 'persistentvolumeclaims'),
    rule('patch update', '', 'persistentvolumeclaims/status'),
    rule('get list watch', '', 'nodes'),
    rule('get list watch', 'storage.k8s.io', 'storageclasses csinodes csidrivers'),
    rule('get list watch patch', 'storage.k8s.io', 'volumeattachments'),
    rule('patch update', 'storage.k8s.io', 'volumeattachments/status'),
    rule('create patch update', '', 'events'),
    rule('create patch update', 'events.k8s.io', 'events'),
    rule('get list watch create update patch', 'coordination.k8s.io', 'leases'),
  ],
};

const bindingOf = (name: string) => ({
  metadata: { name },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name }],
});

const driverOf = (name: string) => ({
  metadata: { name },
  spec: { attachRequired: true, podInfoOnMount: false, fsGroupPolicy: 'File', volumeLifecycleModes: ['Persistent'] },
});

/** The class of claims that name none. Made once: what an administrator changes of it stays. */
const standardClass = (provisioner: string) => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
  provisioner,
  reclaimPolicy: 'Delete',
  volumeBindingMode: 'WaitForFirstConsumer',
  allowVolumeExpansion: true,
});

/** Applies the roles of what runs for the cloud, and what its disks are known by. `admin` must be allowed everything it grants. */
export async function applyCloudPolicy(admin: KubeClient, { csiDriver }: ClusterCloud, signal: AbortSignal): Promise<void> {
  const options = { fieldManager: 'coxswain', force: true, signal };
  const { clusterRoles, clusterRoleBindings, csiDrivers, storageClasses } = admin.api;
  await Promise.all([
    ...[clusterRole, csiRole].map((role) => clusterRoles().apply(role, options)),
    ...[CLOUD_CONTROLLER_MANAGER, CSI_CONTROLLER].map((name) => clusterRoleBindings().apply(bindingOf(name), options)),
    csiDrivers().apply(driverOf(csiDriver), options),
    storageClasses()
      .create(standardClass(csiDriver), { signal })
      .catch((error: unknown) => {
        if (!isAlreadyExists(error)) throw error;
      }),
  ]);
}
