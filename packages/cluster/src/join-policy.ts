import type { KubeClient } from '@coxswain/client';

export interface JoinPolicyOptions {
  /** As other machines reach the API server. */
  readonly server: string;
  /** PEM. */
  readonly certificateAuthority: string;
}

const PUBLIC = 'kube-public';
const CLUSTER_INFO = 'cluster-info';
const SIGNER_ROLE = 'kubeadm:bootstrap-signer-clusterinfo';
/** What kubeadm's tokens name in `auth-extra-groups`. */
const TOKEN_GROUP = 'system:bootstrappers:kubeadm:default-node-token';
const RBAC = 'rbac.authorization.k8s.io';

const groupBinding = (name: string, role: string, group: string) => ({
  metadata: { name },
  roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
  subjects: [{ apiGroup: RBAC, kind: 'Group', name: group }],
});

/** Holders of a bootstrap token may ask for a node's certificate, which is approved; nodes renew theirs. As kubeadm sets clusters up. */
const bindings = [
  groupBinding('kubeadm:kubelet-bootstrap', 'system:node-bootstrapper', TOKEN_GROUP),
  groupBinding('kubeadm:node-autoapprove-bootstrap', 'system:certificates.k8s.io:certificatesigningrequests:nodeclient', TOKEN_GROUP),
  groupBinding('kubeadm:node-autoapprove-certificate-rotation', 'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient', 'system:nodes'),
];

const role = {
  metadata: { name: SIGNER_ROLE, namespace: PUBLIC },
  rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: [CLUSTER_INFO], verbs: ['get'] }],
};
const roleBinding = {
  metadata: { name: SIGNER_ROLE, namespace: PUBLIC },
  roleRef: { apiGroup: RBAC, kind: 'Role', name: SIGNER_ROLE },
  subjects: [{ apiGroup: RBAC, kind: 'User', name: 'system:anonymous' }],
};

/**
 * What lets a machine join that knows a bootstrap token and nothing else: `kube-public/cluster-info`, readable by everybody and signed
 * by the controller manager with every token, says where the cluster is and whom to trust.
 */
export async function applyJoinPolicy(admin: KubeClient, { server, certificateAuthority }: JoinPolicyOptions, signal: AbortSignal): Promise<void> {
  const { clusterRoleBindings, roles, roleBindings, configMaps } = admin.api;
  const options = { fieldManager: 'coxswain', force: true, signal };
  const cluster = { 'certificate-authority-data': Buffer.from(certificateAuthority).toString('base64'), server };
  const kubeconfig = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: '', cluster }],
    contexts: null,
    'current-context': '',
    users: null,
  });
  const clusterInfo = { metadata: { name: CLUSTER_INFO, namespace: PUBLIC }, data: { kubeconfig: `${kubeconfig}\n` } };
  await Promise.all([
    ...bindings.map((binding) => clusterRoleBindings().apply(binding, options)),
    roles(PUBLIC).apply(role, options),
    roleBindings(PUBLIC).apply(roleBinding, options),
    configMaps(PUBLIC).apply(clusterInfo, options),
  ]);
}
