import { Scheduler } from '@coxswain/scheduler';
import { type SchedulerPlugin, silentLogger, success, systemClock, systemRandom } from '@coxswain/sdk';
import { expect, it, vi } from 'vitest';
import { startPrimary } from '../primary/start-primary.js';

const soon = { timeout: 20_000, interval: 20 };

it('while binding takes its time the status of the pod names the node; a pod that names one goes there', async () => {
  await using primary = await startPrimary();
  const { api } = primary.client;
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const slow: SchedulerPlugin = {
    name: 'Slow',
    preBindPreFlight: (_state, pod) => (pod.metadata.name === 'slow' ? success : { code: 'skip' }),
    preBind: async () => {
      await released;
      return success;
    },
  };
  const scheduler = new Scheduler({ client: primary.client, clock: systemClock, random: systemRandom, logger: silentLogger, plugins: [slow] });
  const pods = api.pods('default');
  const create = (name: string) =>
    pods.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: { automountServiceAccountToken: false, containers: [{ name: 'c', image: 'app', resources: { requests: { cpu: '1' } } }] },
    });
  const pod = async (name: string) => {
    const { spec, status } = await pods.get(name);
    return { node: spec?.nodeName, expected: status?.nominatedNodeName };
  };
  try {
    await api.serviceAccounts('default').create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } });
    for (const [name, cpu] of [
      ['large', '8'],
      ['small', '1'],
    ] as const) {
      await api.nodes().create({ apiVersion: 'v1', kind: 'Node', metadata: { name } });
      await api.nodes().patch(name, 'merge', { status: { allocatable: { cpu, memory: '8Gi', pods: '110' } } }, { subresource: 'status' });
      await api.nodes().patch(name, 'merge', { spec: { taints: null } });
    }
    // Somebody expects it on the node that scores less.
    await create('expected');
    await pods.patch('expected', 'merge', { status: { nominatedNodeName: 'small' } }, { subresource: 'status' });
    await scheduler.start(AbortSignal.timeout(20_000));
    await vi.waitFor(async () => expect(await pod('expected')).toEqual({ node: 'small', expected: undefined }), soon);
    await create('slow');
    await vi.waitFor(async () => expect(await pod('slow')).toEqual({ node: undefined, expected: 'large' }), soon);
    release();
    await vi.waitFor(async () => expect(await pod('slow')).toEqual({ node: 'large', expected: undefined }), soon);
    await create('quick');
    await vi.waitFor(async () => expect(await pod('quick')).toEqual({ node: 'large', expected: undefined }), soon);
  } finally {
    await scheduler.stop(AbortSignal.timeout(5000));
  }
});
