import type { Pod } from '@coxswain/api';
import { describe, expect, it } from 'vitest';
import type { ObservedContainer } from '../pod/observed.js';
import { containerStatuses } from './container-statuses.js';

const running = (resources: ObservedContainer['resources']): ObservedContainer => ({
  id: 'id',
  name: 'c',
  sandboxId: 's',
  phase: 'running',
  createdAt: 1,
  startedAt: 1,
  finishedAt: 0,
  exitCode: 0,
  reason: '',
  message: '',
  image: 'i',
  imageRef: 'i',
  hash: '',
  restartCount: 0,
  logPath: '',
  ...(resources ? { resources } : {}),
});

const view = { runtimeName: 'containerd', terminating: false, waiting: () => undefined, started: () => true, readiness: () => true };

const resourcesOf = (limit: string, quota: number) => {
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '1m' }, limits: { cpu: limit } } }] },
  };
  const observed = { uid: 'u', name: 'p', namespace: 'n', sandboxes: [], containers: [running({ cpuShares: 2, cpuQuota: quota, cpuPeriod: 100_000 })] };
  return containerStatuses(pod, observed, view).containerStatuses?.[0]?.resources;
};

it('the stop signal is in the status of a container that asks for one', () => {
  const signalOf = (lifecycle: object | undefined) => {
    const container = { name: 'c', image: 'i', ...(lifecycle ? { lifecycle } : {}) };
    const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: { containers: [container] } };
    const observed = { uid: 'u', name: 'p', namespace: 'n', sandboxes: [], containers: [{ ...running(undefined), stopSignal: 'SIGUSR1' }] };
    return containerStatuses(pod, observed, view).containerStatuses?.[0]?.stopSignal;
  };
  expect(signalOf({ stopSignal: 'SIGUSR1' })).toBe('SIGUSR1');
  expect(signalOf(undefined)).toBeUndefined();
});

describe('resources in the status of a container', () => {
  it('are what is in force, also before a resize has come about', () => {
    expect(resourcesOf('35m', 3000)).toEqual({ requests: { cpu: '1m' }, limits: { cpu: '30m' } });
  });

  it('are what was asked for where the kernel knows no smaller quota', () => {
    expect(resourcesOf('5m', 1000)).toEqual({ requests: { cpu: '1m' }, limits: { cpu: '5m' } });
    expect(resourcesOf('20m', 1000)).toEqual({ requests: { cpu: '1m' }, limits: { cpu: '10m' } });
  });
});
