import type { DaemonSet, Deployment, ReplicaSet, ReplicationController, StatefulSet } from '../generated/types.js';
import { defaultClaim } from './core.js';
import { defaultPodTemplate } from './pod.js';
import { setDefault, setDefaultText } from './set-default.js';

const HISTORY = 10;

export function defaultDeployment({ spec }: Deployment): void {
  if (!spec) return;
  defaultPodTemplate(spec.template);
  setDefault(spec, 'replicas', 1);
  spec.strategy ??= {};
  setDefaultText(spec.strategy, 'type', 'RollingUpdate');
  if (spec.strategy.type === 'RollingUpdate') {
    spec.strategy.rollingUpdate ??= {};
    setDefault(spec.strategy.rollingUpdate, 'maxUnavailable', '25%');
    setDefault(spec.strategy.rollingUpdate, 'maxSurge', '25%');
  }
  setDefault(spec, 'revisionHistoryLimit', HISTORY);
  setDefault(spec, 'progressDeadlineSeconds', 600);
}

export function defaultReplicaSet({ spec }: ReplicaSet): void {
  if (!spec) return;
  defaultPodTemplate(spec.template);
  setDefault(spec, 'replicas', 1);
}

export function defaultDaemonSet({ spec }: DaemonSet): void {
  if (!spec) return;
  defaultPodTemplate(spec.template);
  spec.updateStrategy ??= {};
  setDefaultText(spec.updateStrategy, 'type', 'RollingUpdate');
  if (spec.updateStrategy.type === 'RollingUpdate') {
    spec.updateStrategy.rollingUpdate ??= {};
    setDefault(spec.updateStrategy.rollingUpdate, 'maxUnavailable', 1);
    setDefault(spec.updateStrategy.rollingUpdate, 'maxSurge', 0);
  }
  setDefault(spec, 'revisionHistoryLimit', HISTORY);
}

export function defaultStatefulSet({ spec }: StatefulSet): void {
  if (!spec) return;
  defaultPodTemplate(spec.template);
  setDefaultText(spec, 'podManagementPolicy', 'OrderedReady');
  spec.updateStrategy ??= {};
  setDefaultText(spec.updateStrategy, 'type', 'RollingUpdate');
  if (spec.updateStrategy.type === 'RollingUpdate') {
    spec.updateStrategy.rollingUpdate ??= {};
    setDefault(spec.updateStrategy.rollingUpdate, 'partition', 0);
  }
  spec.persistentVolumeClaimRetentionPolicy ??= {};
  setDefaultText(spec.persistentVolumeClaimRetentionPolicy, 'whenDeleted', 'Retain');
  setDefaultText(spec.persistentVolumeClaimRetentionPolicy, 'whenScaled', 'Retain');
  setDefault(spec, 'replicas', 1);
  setDefault(spec, 'revisionHistoryLimit', HISTORY);
  for (const claim of spec.volumeClaimTemplates ?? []) {
    setDefaultText(claim, 'apiVersion', 'v1');
    setDefaultText(claim, 'kind', 'PersistentVolumeClaim');
    defaultClaim(claim);
  }
}

export function defaultReplicationController({ metadata, spec }: ReplicationController): void {
  if (!spec) return;
  defaultPodTemplate(spec.template);
  setDefault(spec, 'replicas', 1);
  const labels = spec.template?.metadata?.labels;
  if (!labels) return;
  if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
  if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
}
