import type { KubeObject } from '@coxswain/api';
import type { AdmissionPlugin, AdmissionRequest } from '@coxswain/sdk';
import { isFor, lookup, refuse } from './admission-env.js';
import type { AdmissionEnv } from './admission-env.js';
import { AdmissionOrder } from './order.js';

const NODE_USER = 'system:node:';
const NODES = 'system:nodes';
const MIRROR = 'kubernetes.io/config.mirror';
/** Label prefixes kubelets may set on their own node besides the well-known ones. */
const KUBELET_PREFIXES = ['kubelet.kubernetes.io/', 'node.kubernetes.io/'];
const KUBELET_LABELS = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/arch',
  'kubernetes.io/os',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
]);

/** The node a kubelet's user stands for; undefined for other users. */
export function nodeOfUser(user: AdmissionRequest['user']): string | undefined {
  return user.name.startsWith(NODE_USER) && user.groups.includes(NODES) ? user.name.slice(NODE_USER.length) : undefined;
}

/** New nodes are not ready until they say so. */
export function taintNodesByCondition(): AdmissionPlugin {
  return {
    name: 'TaintNodesByCondition',
    order: AdmissionOrder.taintNodesByCondition,
    handles: (request) => request.operation === 'CREATE' && isFor(request, '', 'nodes'),
    admit({ object }) {
      if (!object) return;
      object.spec ??= {};
      const taints = (object.spec.taints ?? []) as { key: string; effect: string }[];
      if (!taints.some((taint) => taint.key === 'node.kubernetes.io/not-ready' && taint.effect === 'NoSchedule')) {
        object.spec.taints = [...taints, { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }];
      }
    },
  };
}

/** A kubelet touches its own node and its own pods only. */
export function nodeRestriction(env: AdmissionEnv): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    order: AdmissionOrder.nodeRestriction,
    handles: ({ user }) => nodeOfUser(user) !== undefined,
    admit(request) {
      const node = nodeOfUser(request.user) as string;
      const { group, resource } = request.resource;
      if (group === '' && resource === 'pods') return admitPod(env, request, node);
      if (group === '' && resource === 'nodes') return admitNode(request, node);
      if (group === '' && resource === 'serviceaccounts' && request.subresource === 'token') return admitToken(env, request, node);
      if (group === 'coordination.k8s.io' && resource === 'leases') {
        if (request.namespace !== 'kube-node-lease') refuse(request, `can only access leases in the "kube-node-lease" system namespace`);
        const name = request.operation === 'CREATE' ? (request.object?.metadata.name ?? '') : request.name;
        if (name !== node) refuse(request, `node ${JSON.stringify(node)} can only access its own lease`);
      }
      if (group === 'storage.k8s.io' && resource === 'csinodes' && (request.object?.metadata.name ?? request.name) !== node) {
        refuse(request, `can only access CSINode with the same name as the requesting node`);
      }
      return undefined;
    },
  };
}

function admitPod(env: AdmissionEnv, request: AdmissionRequest, node: string): void {
  const owned = (pod: KubeObject | undefined) => pod?.spec?.nodeName === node;
  switch (request.subresource) {
    case '':
      if (request.operation === 'CREATE') {
        const pod = request.object as KubeObject;
        if (pod.metadata.annotations?.[MIRROR] === undefined)
          refuse(request, `pod does not have ${JSON.stringify(MIRROR)} annotation, node ${JSON.stringify(node)} can only create mirror pods`);
        if (!owned(pod)) refuse(request, `node ${JSON.stringify(node)} can only create pods with spec.nodeName set to itself`);
        if (pod.spec?.serviceAccountName) refuse(request, `node ${JSON.stringify(node)} can not create pods that reference a service account`);
      } else if (request.operation === 'DELETE') {
        if (!owned(request.oldObject)) refuse(request, `node ${JSON.stringify(node)} can only delete pods with spec.nodeName set to itself`);
      } else refuse(request, `unexpected operation ${JSON.stringify(request.operation)}`);
      return;
    case 'status': {
      if (!owned(request.oldObject)) refuse(request, `node ${JSON.stringify(node)} can only update pod status for pods with spec.nodeName set to itself`);
      const labels = (pod: KubeObject | undefined) => JSON.stringify(pod?.metadata.labels ?? {});
      if (labels(request.object) !== labels(request.oldObject)) refuse(request, `node ${JSON.stringify(node)} cannot update labels through pod status`);
      return;
    }
    case 'eviction':
      if (!owned(lookup(env, '', 'pods', request.namespace, request.name)))
        refuse(request, `node ${JSON.stringify(node)} can only evict pods with spec.nodeName set to itself`);
      return;
    default:
      refuse(request, `unexpected pod subresource ${JSON.stringify(request.subresource)}`);
  }
}

function admitNode(request: AdmissionRequest, node: string): void {
  const { object, oldObject } = request;
  const name = request.operation === 'CREATE' ? (object?.metadata.name ?? '') : request.name;
  if (name !== node) refuse(request, `node ${JSON.stringify(node)} is not allowed to modify node ${JSON.stringify(name)}`);
  if (request.operation === 'CREATE') {
    const bad = modifiedLabels(object, undefined).filter((label) => !kubeletMaySet(label));
    if (bad.length > 0) refuse(request, `is not allowed to set the following labels: ${bad.join(', ')}`);
    if (object?.spec?.configSource) refuse(request, `node ${JSON.stringify(node)} is not allowed to create pods with a non-nil configSource`);
  }
  if (request.operation === 'UPDATE') {
    const taints = (of: KubeObject | undefined) => JSON.stringify(of?.spec?.taints ?? []);
    if (taints(object) !== taints(oldObject)) refuse(request, `node ${JSON.stringify(node)} is not allowed to modify taints`);
    const bad = modifiedLabels(object, oldObject).filter((label) => !kubeletMaySet(label));
    if (bad.length > 0) refuse(request, `is not allowed to modify labels: ${bad.join(', ')}`);
  }
}

function modifiedLabels(object: KubeObject | undefined, old: KubeObject | undefined): string[] {
  const now = object?.metadata.labels ?? {};
  const before = old?.metadata.labels ?? {};
  return [...new Set([...Object.keys(now), ...Object.keys(before)])].filter((key) => now[key] !== before[key]).sort();
}

/** Labels outside kubernetes.io and k8s.io are free; inside, those made for kubelets are. */
function kubeletMaySet(label: string): boolean {
  const slash = label.indexOf('/');
  const domain = slash < 0 ? '' : label.slice(0, slash);
  if (domain === 'node-restriction.kubernetes.io' || domain.endsWith('.node-restriction.kubernetes.io')) return false;
  const system = domain === 'kubernetes.io' || domain.endsWith('.kubernetes.io') || domain === 'k8s.io' || domain.endsWith('.k8s.io');
  return !system || KUBELET_LABELS.has(label) || KUBELET_PREFIXES.some((prefix) => label.startsWith(prefix) || domain.endsWith(`.${prefix.slice(0, -1)}`));
}

function admitToken(env: AdmissionEnv, request: AdmissionRequest, node: string): void {
  const ref = request.object?.spec?.boundObjectRef as { kind?: string; name?: string; uid?: string } | null | undefined;
  if (ref?.kind !== 'Pod' || !ref.name) refuse(request, 'node requested token not bound to a pod');
  const pod = lookup(env, '', 'pods', request.namespace, ref.name);
  if (!pod) refuse(request, `pod ${JSON.stringify(ref.name)} not found`);
  if (ref.uid !== undefined && ref.uid !== pod.metadata.uid)
    refuse(
      request,
      `the UID in the bound object reference (${ref.uid}) does not match the UID in record (${pod.metadata.uid}). The object might have been deleted and then recreated`,
    );
  if (pod.spec?.nodeName !== node) refuse(request, 'node requested token bound to a pod scheduled on a different node');
}
