import { describe, expect, it } from 'vitest';
import type { HorizontalPodAutoscaler, MetricSpec, Pod } from '@coxswain/api';
import type { KubeClient } from '@coxswain/client';
import { limitReplicas, type Sample } from './hpa-limits.js';
import { HpaMetrics } from './hpa-metrics.js';
import { proposeFor, type Target } from './hpa-proposals.js';
import { byAverage, byUtilization, type PodMetric } from './hpa-replicas.js';
import { toleranceOf } from './hpa-tolerance.js';

const now = Date.parse('2026-03-01T12:00:00Z');
const ago = (seconds: number) => new Date(now - seconds * 1000).toISOString();
const tolerance = { up: 0.1, down: 0.1 };
const readiness = { now, cpuInitializationMs: 300_000, readinessDelayMs: 30_000 };
const pod = (name: string, { ready = 'True', phase = 'Running', started = 3600, since = 3000 } = {}): Pod =>
  ({
    metadata: { name },
    spec: { containers: [{ name: 'c', resources: { requests: { cpu: '1', memory: '1Mi' } } }] },
    status: { phase, startTime: ago(started), conditions: [{ type: 'Ready', status: ready, lastTransitionTime: ago(since) }] },
  }) as unknown as Pod;
const measured = (values: Record<string, number>): Map<string, PodMetric> =>
  new Map(Object.entries(values).map(([name, value]) => [name, { value, at: now, windowMs: 30_000 }]));

describe('a metric of pods', () => {
  const pods = ['a', 'b', 'c', 'd'].map((name) => pod(name));
  const weigh = (target: number, values: Record<string, number>, all = pods) =>
    byUtilization(
      { current: all.length, pods: all, metrics: measured(values), tolerance, readiness },
      'cpu',
      target,
      new Map(all.map((p) => [p.metadata.name ?? '', 1000])),
    );
  const each = (value: number, names = 'abcd') => Object.fromEntries([...names].map((name) => [name, value]));

  it.each([
    ['within tolerance', each(525), 4],
    ['twice as much', each(1000), 8],
    ['half as much', each(250), 2],
    // 3 × 1000 m over four pods are 75 %.
    ['who says nothing is idle when growing', each(1000, 'abc'), 6],
    ['and busy when shrinking', each(100, 'ab'), 4],
  ])('%s', (_what, values, replicas) => expect(weigh(50, values).replicas).toBe(replicas));

  it('leaves out who is on the way out, and who is only starting', () => {
    const leaving = { ...pod('e'), metadata: { name: 'e', deletionTimestamp: ago(1) } } as Pod;
    expect(weigh(50, { ...each(1000), e: 9000 }, [...pods, leaving]).replicas).toBe(8);
    const starting = pod('e', { ready: 'False', started: 20, since: 10 });
    // 4 × 1000 m over five pods are 80 %.
    expect(weigh(50, { ...each(1000), e: 5000 }, [...pods, starting]).replicas).toBe(8);
    expect(weigh(50, { ...each(250), e: 5000 }, [...pods, starting]).replicas).toBe(2);
  });

  it('takes memory of pods that are not ready', () => {
    const weighing = { current: 1, pods: [pod('a', { ready: 'False' })], metrics: measured({ a: 3000 }), tolerance, readiness };
    expect(byAverage(weighing, 'memory', 1000).replicas).toBe(3);
    // It was ready once, and is not any more: its use counts. Whoever never was has used it to start.
    expect(byAverage(weighing, 'cpu', 1000).replicas).toBe(3);
    const never = [pod('a', { ready: 'False', since: 3600 })];
    expect(() => byAverage({ ...weighing, pods: never }, 'cpu', 1000)).toThrow('did not receive metrics');
  });

  it('has a tolerance of its own for each direction', () => {
    const hpa = { spec: { behavior: { scaleUp: { tolerance: '0' }, scaleDown: { tolerance: '500m' } } } } as unknown as HorizontalPodAutoscaler;
    expect(toleranceOf(hpa, 0.1)).toEqual({ up: 0, down: 0.5 });
    expect(toleranceOf({ spec: {} } as HorizontalPodAutoscaler, 0.1)).toEqual(tolerance);
  });
});

describe('how far it may go', () => {
  const limit = (spec: object, current: number, wanted: number, wishes: Sample[] = [], changes: Sample[] = []) => {
    const hpa = { spec: { minReplicas: 1, maxReplicas: 20, ...spec } } as unknown as HorizontalPodAutoscaler;
    const { replicas, limit: why, stabilized } = limitReplicas(hpa, current, wanted, { wishes, changes, downWindowMs: 300_000 }, now);
    return [replicas, why.reason, ...(stabilized ? [stabilized.reason] : [])];
  };
  const wished = (seconds: number, replicas: number): Sample => ({ at: now - seconds * 1000, replicas });
  const rules = (type: string, value: number, more: object = {}) => ({
    policies: [{ type, value, periodSeconds: 60 }],
    stabilizationWindowSeconds: 0,
    ...more,
  });

  it.each([
    ['doubles', {}, 3, 20, [6, 'ScaleUpLimit']],
    ['four at least', {}, 1, 20, [4, 'ScaleUpLimit']],
    ['to the most', { maxReplicas: 5 }, 4, 9, [5, 'TooManyReplicas']],
    ['to the least', { minReplicas: 2 }, 3, 1, [2, 'TooFewReplicas']],
    ['within', {}, 3, 5, [5, 'DesiredWithinRange']],
  ] as const)('%s', (_what, spec, current, wanted, expected) => expect(limit(spec, current, wanted)).toEqual(expected));

  it('shrinks only when it was wished for five minutes', () => {
    expect(limit({}, 10, 2, [wished(200, 8)])).toEqual([8, 'DesiredWithinRange', 'ScaleDownStabilized']);
    expect(limit({}, 10, 2, [wished(301, 8)])).toEqual([2, 'DesiredWithinRange']);
  });

  it('goes by the policies, and what was done within their periods', () => {
    expect(limit({ behavior: { scaleUp: rules('Pods', 3), scaleDown: rules('Pods', 1) } }, 5, 20)).toEqual([8, 'ScaleUpLimit']);
    expect(limit({ behavior: { scaleUp: rules('Pods', 3), scaleDown: rules('Pods', 1) } }, 5, 20, [], [wished(30, 2)])).toEqual([6, 'ScaleUpLimit']);
    expect(limit({ behavior: { scaleUp: rules('Percent', 10), scaleDown: rules('Percent', 50) } }, 5, 1)).toEqual([2, 'ScaleDownLimit']);
    const both = { policies: [...rules('Pods', 1).policies, ...rules('Percent', 100).policies], stabilizationWindowSeconds: 0 };
    expect(limit({ behavior: { scaleUp: both, scaleDown: {} } }, 5, 20)).toEqual([10, 'ScaleUpLimit']);
    expect(limit({ behavior: { scaleUp: { ...both, selectPolicy: 'Min' }, scaleDown: {} } }, 5, 20)).toEqual([6, 'ScaleUpLimit']);
    expect(limit({ behavior: { scaleUp: {}, scaleDown: rules('Pods', 9, { selectPolicy: 'Disabled' }) } }, 6, 1)).toEqual([6, 'ScaleDownLimit']);
  });

  it('waits before it grows, if it is to', () => {
    const behavior = { scaleUp: rules('Pods', 9, { stabilizationWindowSeconds: 60 }), scaleDown: rules('Pods', 9) };
    expect(limit({ behavior }, 5, 9, [wished(30, 6)])).toEqual([6, 'DesiredWithinRange', 'ScaleUpStabilized']);
    expect(limit({ behavior }, 5, 9, [wished(61, 6)])).toEqual([9, 'DesiredWithinRange']);
  });
});

describe('every type of metric', () => {
  const answers: Record<string, unknown> = {
    '/apis/custom.metrics.k8s.io': { versions: [{ version: 'v1beta1' }, { version: 'v1beta2' }] },
    '/apis/custom.metrics.k8s.io/v1beta2/namespaces/n/pods/*/rps?labelSelector=app%3Dx&metricLabelSelector=verb%3Dget': {
      items: [
        { describedObject: { name: 'a' }, timestamp: ago(5), value: '30' },
        { describedObject: { name: 'b' }, timestamp: ago(5), value: '50' },
      ],
    },
    '/apis/custom.metrics.k8s.io/v1beta2/namespaces/n/ingresses.networking.k8s.io/web/rps': { items: [{ value: '300' }] },
    '/apis/external.metrics.k8s.io/v1beta1/namespaces/n/queue?labelSelector=q%3D1': { items: [{ value: '70' }, { value: '500m' }] },
    '/apis/metrics.k8s.io/v1beta1/namespaces/n/pods?labelSelector=app%3Dx': {
      items: ['a', 'b'].map((name) => ({
        metadata: { name },
        timestamp: ago(5),
        window: '30s',
        containers: [
          { name: 'c', usage: { cpu: '500m', memory: '2Mi' } },
          { name: 'other', usage: { cpu: '1500m', memory: '1Mi' } },
        ],
      })),
    },
  };
  const client = {
    get: async (path: string, { query = '' }: { query?: string } = {}) => {
      const asked = query === '' ? path : `${path}?${query}`;
      if (path.includes('?') || !(asked in answers)) throw new Error(`nobody serves ${asked}`);
      return answers[asked];
    },
  } as unknown as KubeClient;
  const target: Target = {
    hpa: { metadata: { name: 'h', namespace: 'n' } } as HorizontalPodAutoscaler,
    pods: [pod('a'), pod('b')],
    selector: 'app=x',
    specReplicas: 2,
    statusReplicas: 2,
    tolerance,
    readiness,
  };
  const ingresses = { group: 'networking.k8s.io', version: 'v1', resource: 'ingresses', kind: 'Ingress', namespaced: true, verbs: [] };
  const propose = (spec: object) =>
    proposeFor(
      target,
      spec as MetricSpec,
      new HpaMetrics(client),
      async (_v, kind) => (kind === 'Ingress' ? ingresses : undefined),
      new AbortController().signal,
    );
  const average = (averageValue: string) => ({ type: 'AverageValue', averageValue });

  it.each([
    ['Resource', { resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 100 } } }, 4, { averageUtilization: 200, averageValue: '2' }],
    ['Resource', { resource: { name: 'memory', target: average('1Mi') } }, 6, { averageValue: '3145728' }],
    [
      'ContainerResource',
      { containerResource: { name: 'cpu', container: 'c', target: { type: 'Utilization', averageUtilization: 25 } } },
      4,
      { averageUtilization: 50, averageValue: '500m' },
    ],
    ['Pods', { pods: { metric: { name: 'rps', selector: { matchLabels: { verb: 'get' } } }, target: average('20') } }, 4, { averageValue: '40' }],
    [
      'Object',
      {
        object: {
          metric: { name: 'rps' },
          describedObject: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'web' },
          target: { type: 'Value', value: '100' },
        },
      },
      6,
      { value: '300' },
    ],
    [
      'Object',
      { object: { metric: { name: 'rps' }, describedObject: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'web' }, target: average('100') } },
      3,
      { averageValue: '150' },
    ],
    [
      'External',
      { external: { metric: { name: 'queue', selector: { matchLabels: { q: '1' } } }, target: { type: 'Value', value: '35250m' } } },
      4,
      { value: '70500m' },
    ],
    ['External', { external: { metric: { name: 'queue', selector: { matchLabels: { q: '1' } } }, target: average('10') } }, 8, { averageValue: '35250m' }],
  ] as const)('%s %#', async (type, source, replicas, current) => {
    const proposal = await propose({ type, ...source });
    expect(proposal.replicas).toBe(replicas);
    const [[, status]] = Object.entries(proposal.status).filter(([key]) => key !== 'type') as [[string, { current: object }]];
    expect(status.current).toEqual(current);
  });

  it('says which metric is not to be had', async () => {
    await expect(propose({ type: 'External', external: { metric: { name: 'nope' }, target: average('1') } })).rejects.toMatchObject({
      reason: 'FailedGetExternalMetric',
      message: expect.stringContaining('unable to get external metric n/nope: unable to fetch metrics from external metrics API'),
    });
    await expect(propose({ type: 'ContainerResource', containerResource: { name: 'cpu', container: 'z', target: average('1') } })).rejects.toMatchObject({
      reason: 'FailedGetContainerResourceMetric',
    });
  });
});
