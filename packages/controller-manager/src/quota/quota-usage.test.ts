import { describe, expect, it } from 'vitest';
import type { PersistentVolumeClaim, Pod, ResourceQuota } from '@coxswain/api';
import { quotaUsage } from './quota-usage.js';

const pod = (phase: string, spec: object = {}, cpu?: string): Pod =>
  ({
    metadata: {},
    spec: { containers: [{ name: 'c', ...(cpu && { resources: { requests: { cpu } } }) }], ...spec },
    status: { phase },
  }) as Pod;
const used = (spec: object, objects: Partial<Parameters<typeof quotaUsage>[1]>) =>
  quotaUsage({ spec } as ResourceQuota, { pods: [], claims: [], services: [], counts: {}, ...objects });

describe('quota usage', () => {
  it('counts what the scopes let through, finished pods by number only', () => {
    const hard = { pods: '9', 'count/pods': '9', 'requests.cpu': '9', configmaps: '9' };
    const pods = [pod('Running', {}, '500m'), pod('Running', {}, '1'), pod('Running'), pod('Succeeded', {}, '4')];
    expect(used({ hard, scopes: ['NotBestEffort'] }, { pods, counts: { configmaps: 3 } })).toEqual({
      pods: '2',
      'count/pods': '3',
      'requests.cpu': '1500m',
      configmaps: '3',
    });
  });

  it('takes a pod that asks for itself, and none of its containers does, as no best effort', () => {
    const pods = [pod('Running', { resources: { requests: { memory: '1Mi' } } }), pod('Running')];
    expect(used({ hard: { pods: '9' }, scopes: ['BestEffort'] }, { pods })).toEqual({ pods: '1' });
  });

  it('counts huge pages by either name', () => {
    const pods = [pod('Running', { containers: [{ name: 'c', resources: { requests: { 'hugepages-2Mi': '4Mi' }, limits: { 'hugepages-2Mi': '4Mi' } } }] })];
    expect(used({ hard: { 'hugepages-2Mi': '8Mi', 'requests.hugepages-2Mi': '8Mi' } }, { pods })).toEqual({
      'hugepages-2Mi': '4Mi',
      'requests.hugepages-2Mi': '4Mi',
    });
  });

  it('chooses claims by the class of their attributes', () => {
    const claim = (volumeAttributesClassName?: string): PersistentVolumeClaim =>
      ({ metadata: {}, spec: { volumeAttributesClassName, resources: { requests: { storage: '1Gi' } } } }) as unknown as PersistentVolumeClaim;
    const claims = [claim('gold'), claim('silver'), claim()];
    const gold = { matchExpressions: [{ scopeName: 'VolumeAttributesClass', operator: 'In', values: ['gold'] }] };
    const hard = { persistentvolumeclaims: '5', 'requests.storage': '5Gi' };
    expect(used({ hard, scopeSelector: gold }, { claims })).toEqual({ persistentvolumeclaims: '1', 'requests.storage': '1Gi' });
    expect(used({ hard, scopes: ['VolumeAttributesClass'] }, { claims })).toEqual({ persistentvolumeclaims: '2', 'requests.storage': '2Gi' });
  });

  it('adds what claims take of devices, where nothing is chosen by scopes', () => {
    const devices: Record<string, string>[] = [
      { 'gpu.deviceclass.resource.k8s.io/devices': '2', 'requests.example.com/gpu': '2' },
      { 'gpu.deviceclass.resource.k8s.io/devices': '1' },
    ];
    const hard = { 'gpu.deviceclass.resource.k8s.io/devices': '9', 'requests.example.com/gpu': '9' };
    expect(used({ hard }, { devices })).toEqual({ 'gpu.deviceclass.resource.k8s.io/devices': '3', 'requests.example.com/gpu': '2' });
    expect(used({ hard, scopes: ['NotBestEffort'] }, { devices })['gpu.deviceclass.resource.k8s.io/devices']).toBe('0');
  });
});
