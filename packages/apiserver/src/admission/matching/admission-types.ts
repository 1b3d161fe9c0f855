import { declareObject } from '@coxswain/cel';
import type { Environment } from '@marcbachmann/cel-js';

const STRINGS = 'list<string>';
const LABELS = 'map<string, string>';

/** The types of `request` and `namespaceObject`, by upstream's names. Fields that expressions may not see are left out. */
const TYPES: readonly (readonly [name: string, fields: Readonly<Record<string, string>>])[] = [
  ['kubernetes.GroupVersionKind', { group: 'string', version: 'string', kind: 'string' }],
  ['kubernetes.GroupVersionResource', { group: 'string', version: 'string', resource: 'string' }],
  ['kubernetes.UserInfo', { username: 'string', uid: 'string', groups: STRINGS, extra: `map<string, ${STRINGS}>` }],
  [
    'kubernetes.AdmissionRequest',
    {
      kind: 'kubernetes.GroupVersionKind',
      resource: 'kubernetes.GroupVersionResource',
      subResource: 'string',
      requestKind: 'kubernetes.GroupVersionKind',
      requestResource: 'kubernetes.GroupVersionResource',
      requestSubResource: 'string',
      name: 'string',
      namespace: 'string',
      operation: 'string',
      userInfo: 'kubernetes.UserInfo',
      dryRun: 'bool',
      options: 'dyn',
    },
  ],
];

const NAMESPACE_TYPES: typeof TYPES = [
  [
    'kubernetes.NamespaceMetadata',
    {
      name: 'string',
      generateName: 'string',
      namespace: 'string',
      labels: LABELS,
      annotations: LABELS,
      UID: 'string',
      creationTimestamp: 'google.protobuf.Timestamp',
      deletionGracePeriodSeconds: 'int',
      deletionTimestamp: 'google.protobuf.Timestamp',
      generation: 'int',
      resourceVersion: 'string',
      finalizers: STRINGS,
    },
  ],
  ['kubernetes.NamespaceSpec', { finalizers: STRINGS }],
  ['kubernetes.NamespaceCondition', { status: 'string', type: 'string', lastTransitionTime: 'google.protobuf.Timestamp', message: 'string', reason: 'string' }],
  ['kubernetes.NamespaceStatus', { conditions: 'list<kubernetes.NamespaceCondition>', phase: 'string' }],
  ['kubernetes.Namespace', { metadata: 'kubernetes.NamespaceMetadata', spec: 'kubernetes.NamespaceSpec', status: 'kubernetes.NamespaceStatus' }],
];

/** For checking expressions, not for running them: values come as maps. */
export function declareRequest(env: Environment): void {
  for (const [name, fields] of TYPES) declareObject(env, name, { ...fields });
  env.registerVariable('request', 'kubernetes.AdmissionRequest');
}

export function declareNamespaceObject(env: Environment): void {
  for (const [name, fields] of NAMESPACE_TYPES) declareObject(env, name, { ...fields });
  env.registerVariable('namespaceObject', 'kubernetes.Namespace');
}
