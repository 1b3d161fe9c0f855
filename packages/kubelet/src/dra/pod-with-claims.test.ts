import { join } from 'node:path';
import { serveDra } from '@coxswain/dra';
import { FakeClock } from '@coxswain/sdk-testing';
import { afterEach, expect, it } from 'vitest';
import { NodeUnderTest } from '../testing/node-under-test.js';
let node: NodeUnderTest;
let stop: (() => Promise<void>) | undefined;
afterEach(async () => {
  await node.destroy();
  await stop?.();
});

// A whole kubelet, and a driver behind real sockets.
it('a pod’s devices are made ready before its containers, and given back before anybody hears that it has ended', async () => {
  node = await NodeUnderTest.start(new FakeClock());
  const told: string[] = [];
  let hold: (() => void) | undefined;
  const root = join(node.dir, 'root');
  const serve = async () => {
    const server = await serveDra({
      name: 'leds.example.com',
      endpoint: `unix://${root}/plugins/dra.sock`,
      registration: `unix://${root}/plugins_registry/leds-reg.sock`,
      driver: {
        async prepare() {
          told.push(`prepare, with ${node.cri.calls.length} calls of the runtime`);
          return [{ pool: 'node-1', device: 'red', cdiDevices: ['leds.example.com/led=red'] }];
        },
        async unprepare() {
          told.push(`unprepare, the pod is ${node.phase('a')}`);
          await new Promise<void>((resolve) => (hold = resolve));
        },
      },
    });
    stop = () => server.close();
  };
  node.api.put('/apis/resource.k8s.io/v1/namespaces/default/resourceclaims', {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: { name: 'led', namespace: 'default' },
    spec: {},
    status: {
      allocation: { devices: { results: [{ request: 'light', driver: 'leds.example.com', pool: 'node-1', device: 'red' }] } },
      reservedFor: [{ resource: 'pods', name: 'a', uid: 'uid-a' }],
    },
  });
  node.pod('a', {
    restartPolicy: 'Never',
    resourceClaims: [{ name: 'led', resourceClaimName: 'led' }],
    containers: [{ name: 'web', image: 'busybox:1', resources: { claims: [{ name: 'led' }] } }],
  });
  await node.until(() => node.api.events().some((e) => e.includes('DRA driver leds.example.com is not registered')));
  expect(node.cri.calls).toEqual([]);
  // The kubelet looks for plugins once its node is there, which it looks for every now and then.
  await node.clock.advance(100);
  await serve();
  await node.until(() => node.phase('a') === 'Running');
  expect(told).toEqual(['prepare, with 0 calls of the runtime']);
  expect(node.cri.container('web').config.CDIDevices?.map((d) => d.name)).toEqual(['leds.example.com/led=red']);
  node.cri.exit('web', 0);
  await node.until(() => hold !== undefined);
  expect(told[1]).toBe('unprepare, the pod is Running');
  expect(node.phase('a')).toBe('Running');
  hold?.();
  await node.until(() => node.phase('a') === 'Succeeded');
});
