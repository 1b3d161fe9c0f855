import type { DeviceClass, DeviceRequest, ResourceClaim } from '@coxswain/api';
import { expect, it } from 'vitest';
import { claimQuotaUsage } from './claim-quota.js';

const claim = (...requests: object[]): ResourceClaim => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceClaim',
  metadata: { name: 'c' },
  spec: { devices: { requests: requests as DeviceRequest[] } },
});
const exactly = (deviceClassName: string, count?: number) => ({ name: 'r', exactly: { deviceClassName, ...(count ? { count } : { allocationMode: 'All' }) } });
const deviceClass = (name: string, extendedResourceName?: string): DeviceClass => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'DeviceClass',
  metadata: { name },
  spec: { ...(extendedResourceName ? { extendedResourceName } : {}) },
});
const usage = (c: ResourceClaim, classes: DeviceClass[] = [], ofPod?: (name: string) => string | undefined) => claimQuotaUsage(c, { classes, ofPod });

it('counts the devices of each class, all of them as the most there can be', () => {
  expect(usage(claim(exactly('gpu', 2), exactly('gpu', 3), exactly('nic')))).toEqual({
    'count/resourceclaims.resource.k8s.io': '1',
    'gpu.deviceclass.resource.k8s.io/devices': '5',
    'nic.deviceclass.resource.k8s.io/devices': '32',
  });
});

it('counts the worst of alternatives', () => {
  const firstAvailable = [
    { name: 'a', deviceClassName: 'gpu', count: 4 },
    { name: 'b', deviceClassName: 'gpu', count: 1 },
    { name: 'c', deviceClassName: 'fpga', count: 2 },
  ];
  expect(usage(claim({ name: 'r', firstAvailable }, exactly('gpu', 1)))).toMatchObject({
    'gpu.deviceclass.resource.k8s.io/devices': '5',
    'fpga.deviceclass.resource.k8s.io/devices': '2',
  });
});

it('counts the extended resource that a class stands for, less what the pod counts', () => {
  const classes = [deviceClass('gpu', 'example.com/gpu')];
  expect(usage(claim(exactly('gpu', 3)), classes)).toMatchObject({
    'requests.example.com/gpu': '3',
    'requests.deviceclass.resource.kubernetes.io/gpu': '3',
  });
  const rest = usage(claim(exactly('gpu', 3)), classes, (name) => (name === 'requests.example.com/gpu' ? '3' : undefined));
  expect(rest['requests.example.com/gpu']).toBeUndefined();
});
