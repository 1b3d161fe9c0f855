import { describe, expect, it } from 'vitest';
import type { Job, Pod, PodDisruptionBudget, StatefulSet } from '@coxswain/api';
import { CidrAllocator } from './cidr/cidr-allocator.js';
import { formatIndexes, parseIndexes } from './job/indexes.js';
import { dueIndexes, failsIndex, freeIndexes, jobEnding, surplusPods, wantedActive, type JobTally } from './job/job-decision.js';
import { indexFailures, makeJobPod } from './job/job-pods.js';
import { failureVerdict } from './job/pod-failure-policy.js';
import { budgetStatus } from './policy/disruption-controller.js';
import { untilStale } from './policy/stale-disruptions.js';
import { selectControllers } from './registry.js';
import { byDeletionOrder } from './replicas/deletion-order.js';
import { claimOwners } from './statefulset/claim-owners.js';
import { planStatefulSet } from './statefulset/statefulset-plan.js';
import { slowStart } from './runtime/slow-start.js';

const ready = (status = 'True') => [{ type: 'Ready', status, lastTransitionTime: '2026-01-01T00:00:00Z' }];
const pod = (
  name: string,
  extra: { node?: string; phase?: string; ready?: string; annotations?: object; labels?: object; deleting?: boolean; uid?: string } = {},
): Pod =>
  ({
    metadata: {
      name,
      uid: extra.uid ?? name,
      namespace: 'd',
      annotations: extra.annotations,
      labels: extra.labels,
      ...(extra.deleting && { deletionTimestamp: 'x' }),
    },
    spec: { nodeName: extra.node },
    status: { phase: extra.phase ?? 'Running', conditions: ready(extra.ready) },
  }) as unknown as Pod;

describe('who goes first when there are too many', () => {
  it('in upstream’s order', () => {
    const pods = [
      pod('good', { node: 'n' }),
      pod('crowded', { node: 'm' }),
      pod('cheap', { node: 'n', annotations: { 'controller.kubernetes.io/pod-deletion-cost': '-5' } }),
      pod('unready', { node: 'n', ready: 'False' }),
      pod('pending', { node: 'n', phase: 'Pending', ready: 'False' }),
      pod('homeless', { phase: 'Pending', ready: 'False' }),
    ];
    const rank = (p: Pod) => (p.spec?.nodeName === 'm' ? 3 : 1);
    expect(pods.sort(byDeletionOrder(rank, 0)).map((p) => p.metadata.name)).toEqual(['homeless', 'pending', 'unready', 'cheap', 'crowded', 'good']);
  });
});

describe('slow start', () => {
  it('stops at the first batch that fails', async () => {
    let calls = 0;
    const r = await slowStart(100, async (i) => {
      calls++;
      if (i === 5) throw new Error('quota');
    });
    expect([r.succeeded, calls, (r.error as Error).message]).toEqual([6, 7, 'quota']);
  });
});

describe('pod CIDRs', () => {
  it('are given, taken back and never twice', () => {
    const a = new CidrAllocator('10.0.0.0/22', 24);
    a.occupy('10.0.1.0/24');
    expect([a.allocate(), a.allocate(), a.allocate(), a.allocate()]).toEqual(['10.0.0.0/24', '10.0.2.0/24', '10.0.3.0/24', undefined]);
    a.release('10.0.2.0/24');
    expect(a.allocate()).toBe('10.0.2.0/24');
  });
  it.each([
    ['10.0.1.0/28', ['10.0.0.0/24', '10.0.2.0/24', '10.0.3.0/24']],
    ['10.0.2.0/23', ['10.0.0.0/24', '10.0.1.0/24']],
    ['10.0.0.0/8', []],
    ['10.96.0.0/16', ['10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24', '10.0.3.0/24']],
    ['9.0.0.0/8', ['10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24', '10.0.3.0/24']],
    ['fd00::/64', ['10.0.0.0/24', '10.0.1.0/24', '10.0.2.0/24', '10.0.3.0/24']],
  ])('keeps off %s', (services, parts) => {
    const a = new CidrAllocator('10.0.0.0/22', 24);
    a.keepOff(services);
    expect(Array.from({ length: 4 }, () => a.allocate()).filter((c) => c !== undefined)).toEqual(parts);
  });
  it('of the other family too', () => {
    const a = new CidrAllocator('fd00:10::/56', 64);
    expect([a.allocate(), a.allocate()]).toEqual(['fd00:10::/64', 'fd00:10:0:1::/64']);
  });
});

describe('who owns the claims of a stateful set', () => {
  const owners = (whenScaled: string, whenDeleted: string, pods: string, refs: object[] = []) => {
    const set = {
      metadata: { name: 'db', uid: 'set' },
      spec: { replicas: 2, ordinals: { start: 1 }, persistentVolumeClaimRetentionPolicy: { whenScaled, whenDeleted } },
    };
    return claimOwners(set as never, pod(pods, { uid: 'pod' }), { metadata: { ownerReferences: refs } } as never).map(({ uid }) => uid);
  };
  it.each([
    ['Retain', 'Retain', 'db-1', []],
    ['Retain', 'Delete', 'db-1', ['set']],
    ['Retain', 'Delete', 'db-3', ['set']],
    ['Delete', 'Retain', 'db-2', []],
    ['Delete', 'Retain', 'db-3', ['pod']],
    ['Delete', 'Delete', 'db-2', ['set']],
    ['Delete', 'Delete', 'db-3', ['pod']],
    ['Delete', 'Delete', 'db-0', ['pod']],
  ])('scaled %s, deleted %s, %s', (whenScaled, whenDeleted, name, expected) => {
    expect(owners(whenScaled, whenDeleted, name)).toEqual(expected);
    // What was there of the set's own and of the pod is taken away, what is somebody else's stays.
    expect(owners(whenScaled, whenDeleted, name, [{ uid: 'set' }, { uid: 'pod' }, { uid: 'other' }])).toEqual(['other', ...expected]);
    expect(owners(whenScaled, whenDeleted, name, [{ uid: 'other', controller: true }])).toEqual(['other']);
  });
});

describe('jobs', () => {
  const job = (spec: object, status: object = {}): Job =>
    ({ metadata: { name: 'j' }, spec: { template: { spec: { restartPolicy: 'Never' } }, ...spec }, status }) as unknown as Job;
  const tally = (t: Partial<JobTally>): JobTally => ({
    succeeded: 0,
    failed: 0,
    succeededIndexes: new Set(),
    failedIndexes: new Set(),
    failJob: undefined,
    ...t,
  });
  it('index lists', () => {
    expect(formatIndexes([5, 1, 3, 4, 9, 10])).toBe('1,3-5,9,10');
    expect([...parseIndexes('1,3-5,9', 6)]).toEqual([1, 3, 4, 5]);
  });
  it.each([
    ['enough succeeded', job({ completions: 2 }), tally({ succeeded: 2 }), 'Complete/CompletionsReached'],
    ['not yet', job({ completions: 2 }), tally({ succeeded: 1 }), undefined],
    ['too many failed', job({ completions: 2, backoffLimit: 1 }), tally({ failed: 2 }), 'Failed/BackoffLimitExceeded'],
    ['too late', job({ activeDeadlineSeconds: 5 }, { startTime: '1970-01-01T00:00:00Z' }), tally({}), 'Failed/DeadlineExceeded'],
    [
      'decided before, by pods that are gone',
      job({ backoffLimit: 2 }, { conditions: [{ type: 'FailureTarget', status: 'True', reason: 'BackoffLimitExceeded', message: 'm' }] }),
      tally({}),
      'Failed/BackoffLimitExceeded',
    ],
    [
      'success decided before',
      job({ completions: 3 }, { conditions: [{ type: 'SuccessCriteriaMet', status: 'True', reason: 'SuccessPolicy', message: 'm' }] }),
      tally({ failed: 99 }),
      'Complete/SuccessPolicy',
    ],
    [
      'some indexes failed',
      job({ completionMode: 'Indexed', completions: 2, backoffLimitPerIndex: 0, backoffLimit: 99 }),
      tally({ succeededIndexes: new Set([0]), failedIndexes: new Set([1]) }),
      'Failed/FailedIndexes',
    ],
    [
      'success policy',
      job({ completionMode: 'Indexed', completions: 3, successPolicy: { rules: [{ succeededIndexes: '0' }] } }),
      tally({ succeededIndexes: new Set([0]) }),
      'Complete/SuccessPolicy',
    ],
  ])('%s', (_n, j, t, expected) => {
    const e = jobEnding(j, t, [], 10_000);
    expect(e && `${e.type}/${e.reason}`).toBe(expected);
  });
  it('parallelism', () => {
    expect(wantedActive(job({ completions: 5, parallelism: 3 }), tally({ succeeded: 3 }), 0)).toBe(2);
    expect(wantedActive(job({ parallelism: 3 }), tally({ succeeded: 1 }), 2)).toBe(2);
    expect(
      freeIndexes(
        job({ completions: 5 }),
        tally({ succeededIndexes: new Set([0]) }),
        [pod('p', { annotations: { 'batch.kubernetes.io/job-completion-index': '1' } })],
        2,
      ),
    ).toEqual([2, 3]);
  });
  const ofIndex = (name: string, index: number, annotations: object = {}, status: object = {}): Pod =>
    ({
      metadata: { name, uid: name, annotations: { 'batch.kubernetes.io/job-completion-index': String(index), ...annotations } },
      spec: { nodeName: 'n' },
      status: { phase: 'Running', conditions: ready(), ...status },
    }) as unknown as Pod;
  it('takes away first what has no index of the job, and what is there twice', () => {
    const pods = [ofIndex('a', 0), ofIndex('b', 1), ofIndex('c', 1, {}, { phase: 'Pending' }), ofIndex('d', 5)];
    const indexed = job({ completionMode: 'Indexed', completions: 3, parallelism: 3 });
    const names = (wanted: number) => surplusPods(indexed, pods, wanted, 0).map((p) => p.metadata.name);
    expect(names(3).sort()).toEqual(['c', 'd']);
    expect(names(1)).toHaveLength(3);
    expect(surplusPods(job({ parallelism: 2 }), pods, 3, 0).map((p) => p.metadata.name)).toEqual(['c']);
  });
  it('makes every index wait by its own failures', () => {
    const failed = (seconds: number) => ({
      phase: 'Failed',
      containerStatuses: [{ state: { terminated: { exitCode: 1, finishedAt: new Date(seconds * 1000).toISOString() } } }],
    });
    const indexed = job({ completionMode: 'Indexed', completions: 4, backoffLimitPerIndex: 3 });
    const pods = [
      ofIndex('a', 0, {}, failed(100)),
      ofIndex('b', 1, { 'batch.kubernetes.io/job-index-failure-count': '2' }, failed(100)),
      ofIndex('c', 1, { 'batch.kubernetes.io/job-index-failure-count': '1' }, failed(60)),
    ];
    expect(dueIndexes(indexed, [0, 1, 2], pods, 105_000)).toEqual({ due: [2], wait: 5000 });
    expect(dueIndexes(indexed, [0, 1, 2], pods, 112_000)).toEqual({ due: [0, 2], wait: 28_000 });
    expect(dueIndexes(indexed, [0, 1, 2], pods, 141_000).due).toEqual([0, 1, 2]);
    expect([pods[1], ofIndex('d', 1, { 'batch.kubernetes.io/job-index-failure-count': '3' }, failed(9))].map((p) => failsIndex(indexed, p as Pod))).toEqual([
      false,
      true,
    ]);
    // What the policy ignores is counted by itself, and does not use the index up.
    const ignoring = job({ ...indexed.spec, podFailurePolicy: { rules: [{ action: 'Ignore', onExitCodes: { operator: 'In', values: [1] } }] } });
    expect(indexFailures(ignoring, pods[1] as Pod)).toEqual({ failed: 2, ignored: 1 });
    expect(makeJobPod(ignoring, 1, { failed: 2, ignored: 1 }).metadata.annotations).toMatchObject({
      'batch.kubernetes.io/job-index-failure-count': '2',
      'batch.kubernetes.io/job-index-ignored-failure-count': '1',
    });
  });
  it('adds up the restarts of all containers', () => {
    const again = {
      ...pod('p'),
      status: { phase: 'Running', initContainerStatuses: [{ restartCount: 1 }], containerStatuses: [{ restartCount: 1 }, { restartCount: 1 }] },
    } as unknown as Pod;
    const onFailure = job({ completions: 1, backoffLimit: 3, template: { spec: { restartPolicy: 'OnFailure' } } });
    expect(jobEnding(onFailure, tally({}), [again], 0)?.reason).toBe('BackoffLimitExceeded');
    expect(jobEnding(job({ ...onFailure.spec, backoffLimit: 4 }), tally({}), [again], 0)).toBeUndefined();
  });
  it('pod failure policy', () => {
    const j = job({
      podFailurePolicy: {
        rules: [
          { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          { action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } },
        ],
      },
    });
    const failed = { ...pod('p'), status: { phase: 'Failed', containerStatuses: [{ name: 'c', state: { terminated: { exitCode: 42 } } }] } } as unknown as Pod;
    expect(failureVerdict(j, failed)).toEqual({
      action: 'FailJob',
      message: 'Container c for pod d/p failed with exit code 42 matching FailJob rule at index 1',
    });
    expect(failureVerdict(j, { ...failed, status: { ...failed.status, conditions: [{ type: 'DisruptionTarget', status: 'True' }] } } as Pod)).toEqual({
      action: 'Ignore',
    });
  });
});

describe('stateful sets', () => {
  const set = (spec: object = {}): StatefulSet => ({ metadata: { name: 'db' }, spec: { replicas: 3, ...spec } }) as unknown as StatefulSet;
  const p = (n: number, revision = 'r1', extra: Parameters<typeof pod>[1] = {}) =>
    pod(`db-${n}`, { ...extra, labels: { 'controller-revision-hash': revision } });
  const plan = (s: StatefulSet, pods: Pod[], updateRevision = 'r1') =>
    planStatefulSet({ set: s, pods, updateRevision, now: 1e15 })
      .map((x) => (x.type === 'create' ? `+${x.ordinal}${x.revision === 'current' ? 'c' : 'u'}` : `-${x.pod.metadata.name}`))
      .join(' ');
  it.each([
    ['begins with the first', set(), [], 'r1', '+0u'],
    ['waits for it', set(), [p(0, 'r1', { ready: 'False' })], 'r1', ''],
    ['goes on', set(), [p(0)], 'r1', '+1u'],
    ['all at once', set({ podManagementPolicy: 'Parallel' }), [], 'r1', '+0u +1u +2u'],
    ['scales down from the end', set({ replicas: 1 }), [p(0), p(1), p(2)], 'r1', '-db-2'],
    ['updates from the end', set(), [p(0), p(1), p(2)], 'r2', '-db-2'],
    ['one after the other', set(), [p(0), p(1), p(2, 'r2', { ready: 'False' })], 'r2', ''],
    ['down to the partition', set({ updateStrategy: { rollingUpdate: { partition: 2 } } }), [p(0), p(1), p(2, 'r2')], 'r2', ''],
    ['what is below the partition comes back as it was', set({ updateStrategy: { rollingUpdate: { partition: 2 } } }), [p(0), p(2, 'r2')], 'r2', '+1c'],
    ['leaves it to the user', set({ updateStrategy: { type: 'OnDelete' } }), [p(0), p(1), p(2)], 'r2', ''],
    ['replaces a failed pod', set(), [p(0, 'r1', { phase: 'Failed' })], 'r1', '-db-0'],
  ] as const)('%s', (_n, s, pods, update, expected) => expect(plan(s, [...pods], update)).toBe(expected));
});

describe('disruption budgets', () => {
  const pdb = (spec: object): PodDisruptionBudget => ({ metadata: { name: 'b', generation: 1 }, spec }) as unknown as PodDisruptionBudget;
  const five = [1, 2, 3, 4, 5].map((n) => pod(`p${n}`));
  it.each([
    [{ minAvailable: 3 }, 2],
    [{ minAvailable: '50%' }, 2],
    [{ maxUnavailable: 1 }, 1],
    [{ maxUnavailable: '30%' }, 2],
    [{}, 0],
  ])('%j allows %i', (spec, allowed) => expect(budgetStatus(pdb(spec), five, 5, 0).disruptionsAllowed).toBe(allowed));
});

describe('a disruption that did not happen', () => {
  const since = Date.parse('2026-01-01T00:00:00Z');
  const marked = (status: object, condition: object = {}): Pod => {
    const target = { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', lastTransitionTime: '2026-01-01T00:00:00Z', ...condition };
    return { metadata: { name: 'p' }, status: { conditions: [target], ...status } } as Pod;
  };
  it('is taken back after two minutes', () => {
    expect(untilStale(marked({}), since + 30_000)).toBe(90_000);
    expect(untilStale(marked({}), since + 500_000)).toBe(0);
  });
  it('is left to the kubelet, to pods that end, and where it is taken back already', () => {
    expect(untilStale(marked({}, { reason: 'TerminationByKubelet' }), since)).toBeUndefined();
    expect(untilStale(marked({ phase: 'Failed' }), since)).toBeUndefined();
    expect(untilStale({ ...marked({}), metadata: { name: 'p', deletionTimestamp: '2026-01-01T00:00:00Z' } }, since)).toBeUndefined();
    expect(untilStale(marked({}, { status: 'False' }), since)).toBeUndefined();
  });
});

describe('--controllers', () => {
  it('selects, leaves out, and refuses what nobody knows', () => {
    expect(selectControllers(['*', '-deployment']).some((c) => c.name === 'deployment-controller')).toBe(false);
    expect(selectControllers(['job-controller']).map((c) => c.name)).toEqual(['job-controller']);
    expect(() => selectControllers(['*', 'nonsense'])).toThrow(/not in the list of known controllers/);
  });
});
