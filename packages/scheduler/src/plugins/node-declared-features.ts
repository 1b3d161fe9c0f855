import { deepEqual } from '@coxswain/apimachinery';
import { featuresToPlace, type KubeObject, type Node } from '@coxswain/api';
import { skip, success, type SchedulerPlugin } from '@coxswain/sdk';
import { unresolvable } from '../framework/status.js';

const REFUSED = unresolvable("node(s) didn't match Pod's required features");

const declared = (node: KubeObject | undefined): readonly string[] => (node as Node | undefined)?.status?.declaredFeatures ?? [];

/** Pods that want what not every node can do go where `status.declaredFeatures` has it. */
export const nodeDeclaredFeatures = (): SchedulerPlugin => ({
  name: 'NodeDeclaredFeatures',
  events: [
    { resource: 'Node', action: 'add' },
    { resource: 'Node', action: 'update', helps: (_pod, before, after) => !deepEqual(declared(before), declared(after)) },
    { resource: 'Pod', action: 'update' },
  ],
  sign: (pod) => featuresToPlace(pod).join(),
  preFilter: (_state, pod) => ({ status: featuresToPlace(pod).length === 0 ? skip : success }),
  filter: (_state, pod, { node }) => (featuresToPlace(pod).every((name) => declared(node as KubeObject).includes(name)) ? success : REFUSED),
});
