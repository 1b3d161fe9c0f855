import { describe, expect, it } from 'vitest';
import type { Deployment, ReplicaSet } from '@coxswain/api';
import { countStatus } from './deployment-status.js';
import { rolloutLimits } from './limits.js';
import { isScalingEvent, rollingStep, scaleProportionally } from './rollout.js';
import { replicaSetAnnotations } from './annotations.js';
import { findNewReplicaSet, makeReplicaSet, surplusHistory } from './replica-sets.js';

const deployment = (replicas: number, maxSurge: number | string = '25%', maxUnavailable: number | string = '25%', extra: object = {}): Deployment =>
  ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'default', uid: 'd' },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [] } },
      ...extra,
    },
  }) as Deployment;
const set = (name: string, replicas: number, available = replicas, annotations: Record<string, string> = {}): ReplicaSet =>
  ({
    metadata: { name, creationTimestamp: `2026-01-01T00:00:0${name.length}Z`, annotations },
    spec: { replicas },
    status: { replicas, availableReplicas: available, observedGeneration: 1 },
  }) as ReplicaSet;
const text = (steps: { replicaSet: ReplicaSet; replicas: number }[]) => steps.map((s) => `${s.replicaSet.metadata.name}=${s.replicas}`).join(' ');

describe('rollout limits', () => {
  it.each([
    [10, '25%', '25%', 3, 2],
    [1, '25%', '25%', 1, 0],
    [4, 0, 0, 0, 1],
    [2, 0, '10%', 0, 1],
    [3, 5, 10, 5, 3],
  ])('%i replicas, surge %s, unavailable %s: %i and %i', (n, s, u, maxSurge, maxUnavailable) =>
    expect(rolloutLimits(deployment(n, s, u))).toEqual({ maxSurge, maxUnavailable }),
  );
  it('a Recreate is available when all its pods are', () => {
    const d = deployment(2, 0, 0, { strategy: { type: 'Recreate' } });
    expect([1, 2].map((available) => countStatus(d, undefined, [set('a', 2, available)], 0).conditions?.[0]?.status)).toEqual(['False', 'True']);
  });
});

describe('rolling update, step by step', () => {
  it.each([
    ['surges first', deployment(4, 1, 0), set('new', 0), [set('old', 4)], 'new=1'],
    ['waits while the new one is not available', deployment(4, 1, 0), set('new', 1, 0), [set('old', 4)], ''],
    ['then lets an old one go', deployment(4, 1, 0), set('new', 1), [set('old', 4)], 'old=3'],
    ['goes down first when there is no surge', deployment(4, 0, 1), set('new', 0), [set('old', 4)], 'old=3'],
    ['removes broken old pods before healthy ones', deployment(4, 1, 1), set('new', 1, 0), [set('old', 3, 3), set('older', 1, 0)], 'older=0'],
    ['ends with the new one alone', deployment(4, 1, 0), set('new', 4), [set('old', 1)], 'old=0'],
    ['shrinks a new one that is too large', deployment(2, 1, 0), set('new', 4), [], 'new=2'],
  ])('%s', (_n, d, next, old, expected) => expect(text(rollingStep(d, next, old))).toBe(expected));

  it('never goes below what has to be available, nor above the surge', () => {
    for (const [surge, unavailable] of [
      [1, 0],
      [0, 1],
      [2, 1],
      ['50%', '25%'],
    ] as const) {
      const d = deployment(5, surge, unavailable);
      const { maxSurge, maxUnavailable } = rolloutLimits(d);
      let next = set('new', 0);
      let old = set('old', 5);
      for (let i = 0; i < 50 && (next.spec?.replicas !== 5 || old.spec?.replicas !== 0); i++) {
        for (const s of rollingStep(d, next, [old])) {
          if (s.replicaSet === next) next = set('new', s.replicas, next.status?.availableReplicas);
          else old = set('old', s.replicas);
        }
        const total = (next.spec?.replicas ?? 0) + (old.spec?.replicas ?? 0);
        const available = (next.status?.availableReplicas ?? 0) + (old.status?.availableReplicas ?? 0);
        expect(total).toBeLessThanOrEqual(5 + maxSurge);
        expect(available).toBeGreaterThanOrEqual(5 - maxUnavailable);
        // One pod becomes available at a time.
        const n = next.status?.availableReplicas ?? 0;
        if (n < (next.spec?.replicas ?? 0)) next = set('new', next.spec?.replicas ?? 0, n + 1);
      }
      expect([next.spec?.replicas, old.spec?.replicas]).toEqual([5, 0]);
    }
  });
});

describe('scaling', () => {
  const desired = (n: number, max: number) => ({
    'deployment.kubernetes.io/desired-replicas': String(n),
    'deployment.kubernetes.io/max-replicas': String(max),
  });
  it('is noticed by the annotation', () => {
    expect(isScalingEvent(deployment(5), [set('a', 3, 3, desired(3, 4))])).toBe(true);
    expect(isScalingEvent(deployment(3), [set('a', 3, 3, desired(3, 4))])).toBe(false);
  });
  it('in the middle of a rollout gives each its share', () => {
    const steps = scaleProportionally(deployment(20, 3, 2), set('new', 5, 5, desired(10, 13)), [set('old', 8, 8, desired(10, 13))]);
    expect(steps.reduce((n, s) => n + s.replicas, 0)).toBe(23);
    expect(text(steps)).toBe('old=14 new=9');
  });
});

describe('ReplicaSets of a Deployment', () => {
  it('the same template has the same name, and is found again', () => {
    const d = deployment(2);
    const made = makeReplicaSet(d, []);
    expect(makeReplicaSet(deployment(7), []).metadata.name).toBe(made.metadata.name);
    expect(findNewReplicaSet(d, [made])).toBe(made);
    expect(made.metadata.annotations).toMatchObject({ 'deployment.kubernetes.io/revision': '1', 'deployment.kubernetes.io/desired-replicas': '2' });
  });
  it('follows the revision of an adopted set, however large', () => {
    const adopted = set('adopted', 1, 1, { 'deployment.kubernetes.io/revision': '3546343826724305832' });
    const made = makeReplicaSet(deployment(1), [adopted, set('later', 0, 0, { 'deployment.kubernetes.io/revision': 'no number' })]);
    expect(made.metadata.annotations).toMatchObject({ 'deployment.kubernetes.io/revision': '3546343826724305833' });
    expect(replicaSetAnnotations(deployment(1), adopted, 3546343826724305834n, 1, 1)).toMatchObject({
      'deployment.kubernetes.io/revision': '3546343826724305834',
      'deployment.kubernetes.io/revision-history': '3546343826724305832',
    });
  });
  it('a collision makes another name', () => {
    const d = deployment(2);
    expect(makeReplicaSet({ ...d, status: { collisionCount: 1 } }, []).metadata.name).not.toBe(makeReplicaSet(d, []).metadata.name);
  });
  it('keeps as much history as is wanted', () => {
    const old = [1, 2, 3].map((r) => set(`r${r}`, 0, 0, { 'deployment.kubernetes.io/revision': String(r) }));
    expect(surplusHistory(deployment(1, 1, 0, { revisionHistoryLimit: 1 }), old).map((r) => r.metadata.name)).toEqual(['r1', 'r2']);
  });
});
