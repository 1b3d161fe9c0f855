import type { PodTemplateSpec, ReplicaSet, ReplicationController } from '@coxswain/api';
import { labelSelectorFromObject, labelSelectorFromSet, type LabelSelector } from '@coxswain/apimachinery';
import { Resources, type ResourceRef } from '@coxswain/client';

/** What ReplicaSets and ReplicationControllers differ in. */
export interface ReplicaKind<T> {
  readonly ref: ResourceRef<T & ReplicaSet>;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly selector: (object: T) => LabelSelector;
  readonly template: (object: T) => PodTemplateSpec | undefined;
  /** The status has `terminatingReplicas`. */
  readonly countsTerminating: boolean;
}

export const replicaSetKind: ReplicaKind<ReplicaSet> = {
  ref: Resources.replicaSets,
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  name: 'replicaset',
  selector: (rs) => labelSelectorFromObject(rs.spec?.selector),
  template: (rs) => rs.spec?.template,
  countsTerminating: true,
};

/** Both have the same fields where the controller looks, but for the selector, which is a plain map here. */
export const replicationControllerKind: ReplicaKind<ReplicaSet> = {
  ref: Resources.replicationControllers as ResourceRef<ReplicaSet>,
  apiVersion: 'v1',
  kind: 'ReplicationController',
  name: 'replicationcontroller',
  selector: (rc) => labelSelectorFromSet((rc as ReplicationController).spec?.selector),
  template: (rc) => rc.spec?.template,
  countsTerminating: false,
};
