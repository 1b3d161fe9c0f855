import type { KubeObject } from '@coxswain/api';
import type { Clock } from '@coxswain/sdk';
import type { ResourceHooks } from '../rest/resource-hooks.js';
import { withCondition } from './conditions.js';
import type { Condition } from './conditions.js';

export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

/** A CRD is not gone before its objects are. */
export function crdHooks(clock: Clock): ResourceHooks {
  return {
    // Every one passes through "marked", where the finalizer is put on; from then on that holds it.
    holdsDeletion: ({ metadata }) => metadata.deletionTimestamp === undefined,
    markDeleted(object: KubeObject) {
      const finalizers = object.metadata.finalizers ?? [];
      if (!finalizers.includes(CLEANUP_FINALIZER)) object.metadata.finalizers = [...finalizers, CLEANUP_FINALIZER];
      const conditions = (object.status?.conditions ?? []) as Condition[];
      const terminating = {
        type: 'Terminating',
        status: 'True',
        reason: 'InstanceDeletionPending',
        message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
      };
      object.status = { ...object.status, conditions: withCondition(conditions, terminating, clock.now()) };
    },
  };
}
