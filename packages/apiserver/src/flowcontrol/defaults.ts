import type { KubeObject } from '@coxswain/api';

const VERSION = 'flowcontrol.apiserver.k8s.io/v1';
const metadata = (name: string) => ({ name, annotations: { 'apf.kubernetes.io/autoupdate-spec': 'true' } });

function limited(name: string, shares: number, lendable: number, queuing?: { queues: number; handSize: number }): KubeObject {
  const limitResponse = queuing ? { type: 'Queue', queuing: { ...queuing, queueLengthLimit: 50 } } : { type: 'Reject' };
  const spec = { type: 'Limited', limited: { nominalConcurrencyShares: shares, lendablePercent: lendable, limitResponse } };
  return { apiVersion: VERSION, kind: 'PriorityLevelConfiguration', metadata: metadata(name), spec };
}

const exempt: KubeObject = {
  apiVersion: VERSION,
  kind: 'PriorityLevelConfiguration',
  metadata: metadata('exempt'),
  spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
};

/** Upstream's levels, with its shares. */
export const priorityLevels: readonly KubeObject[] = [
  exempt,
  limited('catch-all', 5, 0),
  limited('system', 30, 33, { queues: 64, handSize: 6 }),
  limited('node-high', 40, 25, { queues: 64, handSize: 6 }),
  limited('leader-election', 10, 0, { queues: 16, handSize: 4 }),
  limited('workload-high', 40, 50, { queues: 128, handSize: 6 }),
  limited('workload-low', 100, 90, { queues: 128, handSize: 6 }),
  limited('global-default', 20, 50, { queues: 128, handSize: 6 }),
];

const group = (name: string) => ({ kind: 'Group', group: { name } });
const user = (name: string) => ({ kind: 'User', user: { name } });
const account = (namespace: string, name: string) => ({ kind: 'ServiceAccount', serviceAccount: { namespace, name } });
const EVERYBODY = [group('system:unauthenticated'), group('system:authenticated')];
const resources = (verbs: string[], apiGroups: string[], names: string[], clusterScope: boolean) => ({
  verbs,
  apiGroups,
  resources: names,
  ...(clusterScope ? { clusterScope } : {}),
  namespaces: ['*'],
});
const PATHS = { nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }] };
const ALL = { resourceRules: [resources(['*'], ['*'], ['*'], true)], ...PATHS };
const LEASES = resources(['get', 'create', 'update'], ['coordination.k8s.io'], ['leases'], false);

function schema(name: string, level: string, precedence: number, by: 'ByUser' | 'ByNamespace' | undefined, subjects: object[], rules: object): KubeObject {
  return {
    apiVersion: VERSION,
    kind: 'FlowSchema',
    metadata: metadata(name),
    spec: {
      priorityLevelConfiguration: { name: level },
      matchingPrecedence: precedence,
      ...(by ? { distinguisherMethod: { type: by } } : {}),
      rules: [{ subjects, ...rules }],
    },
  };
}

/** Upstream's flows. */
export const flowSchemas: readonly KubeObject[] = [
  schema('exempt', 'exempt', 1, undefined, [group('system:masters')], ALL),
  schema('probes', 'exempt', 2, undefined, EVERYBODY, { nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }] }),
  schema(
    'system-leader-election',
    'leader-election',
    100,
    'ByUser',
    [user('system:kube-controller-manager'), user('system:kube-scheduler'), account('kube-system', '*')],
    { resourceRules: [LEASES] },
  ),
  schema(
    'endpoint-controller',
    'workload-high',
    150,
    'ByUser',
    [user('system:kube-controller-manager'), account('kube-system', 'endpoint-controller'), account('kube-system', 'endpointslicemirroring-controller')],
    { resourceRules: [resources(['get', 'create', 'update'], [''], ['endpoints'], false)] },
  ),
  schema('workload-leader-election', 'leader-election', 200, 'ByUser', [account('kube-system', '*')], {
    resourceRules: [resources(['get', 'create', 'update'], [''], ['endpoints', 'configmaps'], false), LEASES],
  }),
  schema('system-node-high', 'node-high', 400, 'ByUser', [group('system:nodes')], {
    resourceRules: [resources(['*'], [''], ['nodes', 'nodes/status'], true), resources(['*'], ['coordination.k8s.io'], ['leases'], false)],
  }),
  schema('system-nodes', 'system', 500, 'ByUser', [group('system:nodes')], ALL),
  schema('kube-controller-manager', 'workload-high', 800, 'ByNamespace', [user('system:kube-controller-manager')], ALL),
  schema('kube-scheduler', 'workload-high', 800, 'ByNamespace', [user('system:kube-scheduler')], ALL),
  schema('kube-system-service-accounts', 'workload-high', 900, 'ByNamespace', [account('kube-system', '*')], ALL),
  schema('service-accounts', 'workload-low', 9000, 'ByUser', [group('system:serviceaccounts')], ALL),
  schema('global-default', 'global-default', 9900, 'ByUser', EVERYBODY, ALL),
  schema('catch-all', 'catch-all', 10_000, 'ByUser', EVERYBODY, ALL),
];
