import { describe, expect, it } from 'vitest';
import type { HorizontalPodAutoscaler, Pod, ResourceQuota } from '@coxswain/api';
import { quotaUsage } from '../quota/quota-usage.js';
import { limitReplicas, replicasFor } from './hpa-decision.js';

const hpa = (spec: object = {}): HorizontalPodAutoscaler => ({ spec: { minReplicas: 1, maxReplicas: 20, ...spec } }) as unknown as HorizontalPodAutoscaler;
const now = 1_000_000_000;

describe('horizontal pod autoscaling', () => {
  it.each([
    ['within tolerance', 4, 4, 1.05, 0, 4],
    ['double load', 4, 4, 2, 0, 8],
    ['half load', 4, 4, 0.5, 0, 2],
    ['silent pods count as idle when growing', 4, 3, 2, 1, 6],
    ['and as busy when shrinking', 4, 2, 0.5, 2, 3],
  ])('%s', (_n, current, ready, ratio, missing, expected) => expect(replicasFor(current, ready, ratio, missing)).toBe(expected));

  it.each([
    ['grows by four or double', hpa(), 3, 20, 'ScaleUpLimit', 7],
    ['grows to the maximum', hpa({ maxReplicas: 5 }), 4, 9, 'TooManyReplicas', 5],
    ['shrinks to the minimum', hpa({ minReplicas: 2 }), 3, 1, 'TooFewReplicas', 2],
    ['does not shrink when it may not', hpa({ behavior: { scaleDown: { selectPolicy: 'Disabled' } } }), 6, 1, 'ScalingDisabled', 6],
  ])('%s', (_n, h, current, wanted, reason, replicas) =>
    expect(limitReplicas(h, current, wanted, [{ at: now, replicas: wanted }], [], now)).toMatchObject({ replicas, reason }),
  );

  it('shrinks only when it has been asked to for five minutes', () => {
    const wishes = [
      { at: now - 200_000, replicas: 8 },
      { at: now, replicas: 2 },
    ];
    expect(limitReplicas(hpa(), 10, 2, wishes, [], now).replicas).toBe(8);
    expect(limitReplicas(hpa(), 10, 2, wishes, [], now + 150_000).replicas).toBe(2);
  });
});

describe('quota usage', () => {
  it('counts what the scopes let through, finished pods by number only', () => {
    const pod = (phase: string, cpu?: string): Pod =>
      ({ metadata: {}, spec: { containers: [{ name: 'c', ...(cpu && { resources: { requests: { cpu } } }) }] }, status: { phase } }) as unknown as Pod;
    const quota = {
      spec: { hard: { pods: '9', 'count/pods': '9', 'requests.cpu': '9', configmaps: '9' }, scopes: ['NotBestEffort'] },
    } as unknown as ResourceQuota;
    const used = quotaUsage(quota, {
      pods: [pod('Running', '500m'), pod('Running', '1'), pod('Running'), pod('Succeeded', '4')],
      claims: [],
      services: [],
      counts: { configmaps: 3 },
    });
    expect(used).toEqual({ pods: '2', 'count/pods': '3', 'requests.cpu': '1500m', configmaps: '3' });
  });
});
