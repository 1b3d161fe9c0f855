import type { ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet } from '../../generated/types.js';
import { ageColumn, column, containerColumns, formatLabelSelector, formatLabels, nameColumn } from '../../printing/column.js';
import {
  controllerRevisionStrategy,
  daemonSetStrategy,
  deploymentStatusStrategy,
  deploymentStrategy,
  replicaSetStrategy,
  statefulSetStrategy,
  daemonSetStatusStrategy,
  replicaSetStatusStrategy,
  statefulSetStatusStrategy,
} from '../../strategies/apps.js';
import { defineGroup, type Row, scaleSubresource, selectable } from '../define.js';

const deployments: Row = {
  kind: 'Deployment',
  resource: 'deployments',
  shortNames: ['deploy'],
  categories: ['all'],
  strategy: deploymentStrategy,
  status: deploymentStatusStrategy,
  subresources: [scaleSubresource],
  columns: [
    nameColumn,
    column<Deployment>('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`),
    column<Deployment>('Up-to-date', ({ status }) => status?.updatedReplicas ?? 0),
    column<Deployment>('Available', ({ status }) => status?.availableReplicas ?? 0),
    ageColumn,
    ...containerColumns<Deployment>(({ spec }) => spec?.template.spec?.containers),
    column<Deployment>('Selector*', ({ spec }) => formatLabelSelector(spec?.selector)),
  ],
};

const replicaSets: Row = {
  kind: 'ReplicaSet',
  resource: 'replicasets',
  shortNames: ['rs'],
  categories: ['all'],
  strategy: replicaSetStrategy,
  status: replicaSetStatusStrategy,
  subresources: [scaleSubresource],
  selectableFields: selectable('status.replicas'),
  columns: [
    nameColumn,
    column<ReplicaSet>('Desired', ({ spec }) => spec?.replicas ?? 0, 'integer'),
    column<ReplicaSet>('Current', ({ status }) => status?.replicas ?? 0, 'integer'),
    column<ReplicaSet>('Ready', ({ status }) => status?.readyReplicas ?? 0, 'integer'),
    ageColumn,
    ...containerColumns<ReplicaSet>(({ spec }) => spec?.template?.spec?.containers),
    column<ReplicaSet>('Selector*', ({ spec }) => formatLabelSelector(spec?.selector)),
  ],
};

const daemonSets: Row = {
  kind: 'DaemonSet',
  resource: 'daemonsets',
  shortNames: ['ds'],
  categories: ['all'],
  strategy: daemonSetStrategy,
  status: daemonSetStatusStrategy,
  columns: [
    nameColumn,
    column<DaemonSet>('Desired', ({ status }) => status?.desiredNumberScheduled ?? 0, 'integer'),
    column<DaemonSet>('Current', ({ status }) => status?.currentNumberScheduled ?? 0, 'integer'),
    column<DaemonSet>('Ready', ({ status }) => status?.numberReady ?? 0, 'integer'),
    column<DaemonSet>('Up-to-date', ({ status }) => status?.updatedNumberScheduled ?? 0, 'integer'),
    column<DaemonSet>('Available', ({ status }) => status?.numberAvailable ?? 0, 'integer'),
    column<DaemonSet>('Node Selector', ({ spec }) => formatLabels(spec?.template.spec?.nodeSelector)),
    ageColumn,
    ...containerColumns<DaemonSet>(({ spec }) => spec?.template.spec?.containers),
    column<DaemonSet>('Selector*', ({ spec }) => formatLabelSelector(spec?.selector)),
  ],
};

const statefulSets: Row = {
  kind: 'StatefulSet',
  resource: 'statefulsets',
  shortNames: ['sts'],
  categories: ['all'],
  strategy: statefulSetStrategy,
  status: statefulSetStatusStrategy,
  subresources: [scaleSubresource],
  columns: [
    nameColumn,
    column<StatefulSet>('Ready', ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}`),
    ageColumn,
    ...containerColumns<StatefulSet>(({ spec }) => spec?.template.spec?.containers),
  ],
};

const controllerRevisions: Row = {
  kind: 'ControllerRevision',
  resource: 'controllerrevisions',
  strategy: controllerRevisionStrategy,
  columns: [
    nameColumn,
    column<ControllerRevision>('Controller', controllerName),
    column<ControllerRevision>('Revision', ({ revision }) => revision ?? 0),
    ageColumn,
  ],
};

function controllerName({ metadata }: ControllerRevision): string {
  const owner = (metadata.ownerReferences ?? []).find(({ controller }) => controller);
  if (!owner) return '<none>';
  const group = owner.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0]}` : '';
  return `${owner.kind.toLowerCase()}${group}/${owner.name}`;
}

export const apps = defineGroup('apps', 'v1', 'io.k8s.api.apps.v1', [controllerRevisions, daemonSets, deployments, replicaSets, statefulSets]);
