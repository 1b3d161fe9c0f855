import type {
  ClusterRoleBinding,
  CSIDriver,
  EndpointSlice,
  IngressClass,
  NetworkPolicy,
  PriorityClass,
  RoleBinding,
  StorageClass,
  TokenRequest,
} from '../generated/types.js';
import { setDefault, setDefaultText } from './set-default.js';

const RBAC_GROUP = 'rbac.authorization.k8s.io';

export function defaultBinding({ roleRef, subjects = [] }: RoleBinding | ClusterRoleBinding): void {
  if (roleRef) setDefaultText(roleRef, 'apiGroup', RBAC_GROUP);
  for (const subject of subjects) {
    if (subject.kind === 'User' || subject.kind === 'Group') setDefaultText(subject, 'apiGroup', RBAC_GROUP);
  }
}

export function defaultEndpointSlice({ ports }: EndpointSlice): void {
  for (const port of ports ?? []) {
    setDefault(port, 'name', '');
    setDefault(port, 'protocol', 'TCP');
  }
}

export function defaultNetworkPolicy({ spec }: NetworkPolicy): void {
  if (!spec) return;
  if ((spec.policyTypes ?? []).length === 0) {
    spec.policyTypes = (spec.egress ?? []).length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
  }
  for (const port of [...(spec.ingress ?? []), ...(spec.egress ?? [])].flatMap(({ ports = [] }) => ports)) {
    setDefault(port, 'protocol', 'TCP');
  }
}

export function defaultIngressClass({ spec }: IngressClass): void {
  if (spec?.parameters) setDefault(spec.parameters, 'scope', 'Cluster');
}

export function defaultStorageClass(storageClass: StorageClass): void {
  setDefault(storageClass, 'reclaimPolicy', 'Delete');
  setDefault(storageClass, 'volumeBindingMode', 'Immediate');
}

export function defaultCSIDriver({ spec }: CSIDriver): void {
  if (!spec) return;
  setDefault(spec, 'attachRequired', true);
  setDefault(spec, 'podInfoOnMount', false);
  setDefault(spec, 'storageCapacity', false);
  setDefault(spec, 'fsGroupPolicy', 'ReadWriteOnceWithFSType');
  if ((spec.volumeLifecycleModes ?? []).length === 0) spec.volumeLifecycleModes = ['Persistent'];
  setDefault(spec, 'requiresRepublish', false);
  setDefault(spec, 'seLinuxMount', false);
}

export function defaultPriorityClass(priorityClass: PriorityClass): void {
  setDefault(priorityClass, 'preemptionPolicy', 'PreemptLowerPriority');
}

export function defaultTokenRequest({ spec }: TokenRequest): void {
  if (spec) setDefault(spec, 'expirationSeconds', 3600);
}
