import { describe, expect, it, vi } from 'vitest';
import type { Pod } from '@coxswain/api';
import { soon, template, useControlPlane } from '../testing/control-plane.js';
import { addNode } from '../testing/played-nodes.js';

const plane = useControlPlane();

describe('pods that stay, wait or go', () => {
  it('says why a pod has no node', async () => {
    await plane.api.pods('default').create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'big', namespace: 'default' },
      spec: { containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '99' } } }] },
    } as Pod);
    const message = '0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.';
    await vi.waitFor(async () => {
      expect((await plane.api.pods('default').get('big')).status?.conditions?.find((c) => c.type === 'PodScheduled')).toMatchObject({
        status: 'False',
        reason: 'Unschedulable',
        message,
      });
      const events = (await plane.api.events('default').list({ fieldSelector: 'involvedObject.name=big' })).items;
      expect(events.map((e) => `${e.reason}: ${e.message}`)).toContain(`FailedScheduling: ${message}`);
    }, soon);
  });

  it('takes back that a pod is to be disrupted when nothing came of it', async () => {
    const pods = plane.api.pods('default');
    const spec = { ...template('undisturbed').spec, schedulingGates: [{ name: 'example.com/wait' }] };
    await pods.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'undisturbed', namespace: 'default' }, spec });
    const target = { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', lastTransitionTime: '2026-01-01T00:00:00Z' };
    await pods.patch('undisturbed', 'strategic', { status: { conditions: [target] } }, { subresource: 'status' });
    const condition = async () => (await pods.get('undisturbed')).status?.conditions?.find(({ type }) => type === 'DisruptionTarget');
    await vi.waitFor(async () => expect(await condition()).toMatchObject({ status: 'False', reason: 'EvictionByEvictionAPI' }), soon);
    await pods.delete('undisturbed');
  });

  it('evicts a pod when a taint has been tolerated for long enough, though nobody said since when it is there', async () => {
    await addNode(plane.client, 'n3');
    const pods = plane.api.pods('default');
    const toleration = { key: 'example.com/t', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 1 };
    await pods.create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'patient', namespace: 'default' },
      spec: { ...template('patient').spec, nodeName: 'n3', tolerations: [toleration] },
    });
    await plane.api.nodes().patch('n3', 'merge', { spec: { taints: [{ key: 'example.com/t', effect: 'NoExecute' }] } });
    await vi.waitFor(() => expect(pods.get('patient')).rejects.toMatchObject({ status: { code: 404 } }), soon);
    await plane.api.nodes().delete('n3');
  });
});
