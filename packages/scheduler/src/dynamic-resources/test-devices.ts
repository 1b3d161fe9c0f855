import type { Device, ResourceSlice } from '@coxswain/api';
import { node, TestCluster } from '../test-cluster.js';

export const DRIVER = 'gpu.example.com';

/** Of nodes `a` and `b`, with a class `gpu` of the driver's devices. */
export function deviceCluster(): TestCluster {
  const cluster = new TestCluster();
  for (const name of ['a', 'b']) cluster.cache.setNode(node(name));
  cluster.deviceClasses.push({
    apiVersion: 'resource.k8s.io/v1',
    kind: 'DeviceClass',
    metadata: { name: 'gpu' },
    spec: {
      selectors: [{ cel: { expression: `device.driver == "${DRIVER}"` } }],
      config: [{ opaque: { driver: DRIVER, parameters: { mode: 'shared' } } }],
    },
  });
  return cluster;
}

export type SliceSpec = Partial<ResourceSlice['spec']>;

/** A pool of one slice, on node `a` where nothing else is said. */
export const slice = (name: string, devices: Device[], spec: SliceSpec = { nodeName: 'a' }): ResourceSlice => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceSlice',
  metadata: { name },
  spec: { driver: DRIVER, pool: { name: spec.nodeName ?? 'pool', generation: 1, resourceSliceCount: 1 }, devices, ...spec },
});

/** What is said of a pod that neither node can take. */
export const NOT = (reasons: string): string => `0/2 nodes are available: ${reasons}.`;
