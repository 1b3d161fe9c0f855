import { selectRegistered, type RegisteredController as Registered } from '@coxswain/controller';
import type { ControllerManagerConfig } from './controller-manager-config.js';
import { deviceTaintEvictionController } from './device-taints/device-taint-eviction-controller.js';
import { garbageCollector } from './gc/garbage-collector.js';
import { podGcController } from './cleanup/pod-gc-controller.js';
import { ttlAfterFinishedController } from './cleanup/ttl-after-finished-controller.js';
import { deploymentController } from './deployment/deployment-controller.js';
import { endpointSliceController } from './endpoints/endpointslice-controller.js';
import { endpointsController } from './endpoints/endpoints-controller.js';
import { endpointSliceMirroringController } from './endpoints/mirroring-controller.js';
import { namespaceController } from './namespace/namespace-controller.js';
import { nodeIpamController } from './node/node-ipam-controller.js';
import { nodeLifecycleController } from './node/node-lifecycle-controller.js';
import { taintEvictionController } from './node/taint-eviction-controller.js';
import { replicaController } from './replicas/replica-controller.js';
import { replicaSetKind, replicationControllerKind } from './replicas/replica-kinds.js';
import { cronJobController } from './cronjob/cronjob-controller.js';
import { daemonSetController } from './daemonset/daemonset-controller.js';
import { jobController } from './job/job-controller.js';
import { clusterRoleAggregationController } from './policy/clusterrole-aggregation-controller.js';
import { disruptionController } from './policy/disruption-controller.js';
import { statefulSetController } from './statefulset/statefulset-controller.js';
import { pvcProtectionController, pvProtectionController } from './storage/protection-controllers.js';
import { attachDetachController } from './storage/attach-detach-controller.js';
import { vacProtectionController } from './storage/vac-protection-controller.js';
import { pvBinderController } from './storage/pv-binder-controller.js';
import { hpaController } from './autoscaling/hpa-controller.js';
import { csrApprovingController, csrCleanerController, csrSigningController } from './certificates/csr-controllers.js';
import { tokenCleanerController } from './cleanup/token-cleaner-controller.js';
import { resourceClaimController } from './resource-claim/resource-claim-controller.js';
import { resourceQuotaController } from './quota/quota-controller.js';
import { ephemeralVolumeController } from './storage/ephemeral-volume-controller.js';
import { serviceCidrController } from './service-cidr/service-cidr-controller.js';
import { bootstrapSignerController } from './bootstrap/bootstrap-signer-controller.js';
import { ttlController } from './node/ttl-controller.js';
import { rootCaController, serviceAccountController } from './serviceaccount/serviceaccount-controller.js';
import { tokenController } from './serviceaccount/token-controller.js';

/** A controller of the manager: its upstream name, and when it starts relative to others. */
export type RegisteredController = Registered<ControllerManagerConfig>;

/** All controllers. Adding one is adding a row. */
export const controllers: readonly RegisteredController[] = [
  { name: 'serviceaccount-token-controller', group: 'first', make: tokenController },
  { name: 'serviceaccount-controller', group: 'first', account: 'service-account-controller', make: serviceAccountController },
  {
    name: 'root-ca-certificate-publisher-controller',
    aliases: ['root-ca-cert-publisher'],
    group: 'first',
    account: 'root-ca-cert-publisher',
    make: rootCaController,
  },
  { name: 'node-ipam-controller', aliases: ['nodeipam'], group: 'first', account: 'node-controller', make: nodeIpamController },
  { name: 'node-lifecycle-controller', aliases: ['nodelifecycle'], group: 'main', account: 'node-controller', make: nodeLifecycleController },
  { name: 'taint-eviction-controller', group: 'main', account: 'taint-eviction-controller', make: taintEvictionController },
  { name: 'device-taint-eviction-controller', group: 'main', account: 'device-taint-eviction-controller', make: deviceTaintEvictionController },
  { name: 'namespace-controller', group: 'main', account: 'namespace-controller', make: namespaceController },
  { name: 'endpointslice-controller', group: 'main', account: 'endpointslice-controller', make: endpointSliceController },
  { name: 'endpoints-controller', aliases: ['endpoint'], group: 'main', account: 'endpoint-controller', make: endpointsController },
  {
    name: 'endpointslice-mirroring-controller',
    aliases: ['endpointslicemirroring'],
    group: 'main',
    account: 'endpointslicemirroring-controller',
    make: endpointSliceMirroringController,
  },
  { name: 'replicaset-controller', group: 'main', account: 'replicaset-controller', make: (c) => replicaController(c, replicaSetKind) },
  { name: 'replicationcontroller-controller', group: 'main', account: 'replication-controller', make: (c) => replicaController(c, replicationControllerKind) },
  { name: 'deployment-controller', group: 'main', account: 'deployment-controller', make: deploymentController },
  { name: 'statefulset-controller', group: 'main', account: 'statefulset-controller', make: statefulSetController },
  { name: 'daemonset-controller', group: 'main', account: 'daemon-set-controller', make: daemonSetController },
  { name: 'job-controller', group: 'main', account: 'job-controller', make: jobController },
  { name: 'cronjob-controller', group: 'main', account: 'cronjob-controller', make: cronJobController },
  { name: 'disruption-controller', group: 'main', account: 'disruption-controller', make: disruptionController },
  { name: 'persistentvolume-binder-controller', group: 'main', account: 'persistent-volume-binder', make: pvBinderController },
  {
    name: 'persistentvolumeclaim-protection-controller',
    aliases: ['pvc-protection'],
    group: 'main',
    account: 'pvc-protection-controller',
    make: pvcProtectionController,
  },
  {
    name: 'persistentvolume-protection-controller',
    aliases: ['pv-protection'],
    group: 'main',
    account: 'pv-protection-controller',
    make: pvProtectionController,
  },
  {
    name: 'volumeattributesclass-protection-controller',
    group: 'main',
    account: 'volumeattributesclass-protection-controller',
    make: vacProtectionController,
  },
  {
    name: 'persistentvolume-attach-detach-controller',
    aliases: ['attachdetach'],
    group: 'main',
    account: 'attachdetach-controller',
    make: attachDetachController,
  },
  { name: 'ephemeral-volume-controller', group: 'main', account: 'ephemeral-volume-controller', make: ephemeralVolumeController },
  { name: 'resourceclaim-controller', group: 'main', account: 'resource-claim-controller', make: resourceClaimController },
  { name: 'resourcequota-controller', group: 'main', account: 'resourcequota-controller', make: resourceQuotaController },
  { name: 'service-cidr-controller', group: 'main', account: 'service-cidrs-controller', make: serviceCidrController },
  {
    name: 'horizontal-pod-autoscaler-controller',
    aliases: ['horizontalpodautoscaling'],
    group: 'main',
    account: 'horizontal-pod-autoscaler',
    make: hpaController,
  },
  {
    name: 'certificatesigningrequest-approving-controller',
    aliases: ['csrapproving'],
    group: 'main',
    account: 'certificate-controller',
    make: csrApprovingController,
  },
  {
    name: 'certificatesigningrequest-signing-controller',
    aliases: ['csrsigning'],
    group: 'main',
    account: 'certificate-controller',
    make: csrSigningController,
  },
  {
    name: 'certificatesigningrequest-cleaner-controller',
    aliases: ['csrcleaner'],
    group: 'last',
    account: 'certificate-controller',
    make: csrCleanerController,
  },
  { name: 'ttl-controller', group: 'main', account: 'ttl-controller', make: ttlController },
  {
    name: 'bootstrap-signer-controller',
    aliases: ['bootstrapsigner'],
    group: 'last',
    account: 'bootstrap-signer',
    make: bootstrapSignerController,
    offByDefault: true,
  },
  { name: 'token-cleaner-controller', aliases: ['tokencleaner'], group: 'last', account: 'token-cleaner', make: tokenCleanerController, offByDefault: true },
  { name: 'clusterrole-aggregation-controller', group: 'main', account: 'clusterrole-aggregation-controller', make: clusterRoleAggregationController },
  { name: 'ttl-after-finished-controller', group: 'last', account: 'ttl-after-finished-controller', make: ttlAfterFinishedController },
  { name: 'pod-garbage-collector-controller', aliases: ['podgc'], group: 'last', account: 'pod-garbage-collector', make: podGcController },
  { name: 'garbage-collector-controller', aliases: ['garbagecollector'], group: 'last', account: 'generic-garbage-collector', make: garbageCollector },
];

/** Which of them `--controllers` selects. Throws for a name nobody has. */
export function selectControllers(selection: readonly string[], all: readonly RegisteredController[] = controllers): RegisteredController[] {
  return selectRegistered(selection, all);
}
