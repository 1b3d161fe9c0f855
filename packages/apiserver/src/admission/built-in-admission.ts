import type { AdmissionPlugin } from '@coxswain/sdk';
import type { RbacAuthorizer } from '../rbac/rbac-authorizer.js';
import type { AdmissionEnv } from './admission-env.js';
import type { AdmissionSettings } from './admission-settings.js';
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './certificate-admission.js';
import { limitRanger } from './limit-ranger.js';
import { namespaceLifecycle } from './namespace-lifecycle.js';
import { nodeDeclaredFeatureValidator } from './node-declared-features.js';
import { nodeRestriction, taintNodesByCondition } from './node-admission.js';
import { defaultTolerationSeconds, priority, runtimeClass } from './pod-defaults.js';
import { podSecurity } from './pod-security/pod-security.js';
import { podTopologyLabels } from './pod-topology-labels.js';
import { noPrivilegedContainers } from './privileged.js';
import { resourceQuota } from './quota/resource-quota.js';
import { rbacEscalation } from './rbac-escalation.js';
import { serviceAccount } from './service-account.js';
import { defaultIngressClass, defaultStorageClass, persistentVolumeClaimResize, storageObjectInUse } from './storage-admission.js';

/** The built-in chain; `AdmissionOrder` says who comes when. */
export function builtInAdmission(env: AdmissionEnv, rbac: RbacAuthorizer, settings: AdmissionSettings = {}): AdmissionPlugin[] {
  return [
    namespaceLifecycle(env),
    limitRanger(env),
    serviceAccount(env),
    nodeRestriction(env),
    taintNodesByCondition(),
    priority(env),
    defaultTolerationSeconds(settings.tolerationSeconds),
    podTopologyLabels(env),
    nodeDeclaredFeatureValidator(env),
    podSecurity(env, settings.podSecurity),
    defaultStorageClass(env),
    storageObjectInUse(),
    persistentVolumeClaimResize(env),
    runtimeClass(env),
    certificateApproval(env),
    certificateSigning(env),
    certificateSubjectRestriction(),
    defaultIngressClass(env),
    rbacEscalation(env, rbac),
    ...(settings.allowPrivileged === false ? [noPrivilegedContainers()] : []),
    resourceQuota(env, settings.limitedResources),
  ];
}
