import type { ResourceSlice } from '@coxswain/api';
import type { KubeClient } from '@coxswain/client';
import { DRIVER } from './led-driver.js';

/** Tells the cluster which LEDs the node has: one ResourceSlice, a new generation of its pool when they change. */
export async function publishLeds(client: KubeClient, nodeName: string, colors: readonly string[]): Promise<void> {
  const slices = client.api.resourceSlices();
  const { items } = await slices.list({ fieldSelector: `spec.driver=${DRIVER},spec.nodeName=${nodeName}` });
  const [known] = items;
  const devices = colors.map((color, i) => ({ name: color, attributes: { color: { string: color }, position: { int: i } } }));
  if (known && JSON.stringify(known.spec.devices?.map((d) => d.name)) === JSON.stringify(colors)) return;
  const pool = { name: nodeName, generation: (known?.spec.pool.generation ?? 0) + 1, resourceSliceCount: 1 };
  const spec = { driver: DRIVER, nodeName, pool, devices };
  if (known) {
    await slices.update({ ...known, spec });
    return;
  }
  const node = await client.api.nodes().get(nodeName);
  const slice = {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceSlice',
    metadata: {
      generateName: `${nodeName}-${DRIVER}-`,
      // It goes with the node.
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid: node.metadata.uid ?? '', controller: true }],
    },
    spec,
  };
  await slices.create(slice as ResourceSlice);
}
