import { describe, expect, it, vi } from 'vitest';
import type { Job, StatefulSet } from '@coxswain/api';
import { InformerFactory, Resources } from '@coxswain/client';
import { silentLogger, systemClock, systemRandom } from '@coxswain/sdk';
import { deployment, soon, template, useControlPlane } from '../testing/control-plane.js';

const plane = useControlPlane();

describe('workloads', () => {
  it('rolls a Deployment out, over and back without falling below what has to be available', async () => {
    const api = plane.api.deployments('default');
    await plane.api.services('default').create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }] },
    });
    await api.create(deployment('web', 4));
    await vi.waitFor(() => plane.rolledOut('web'), soon);
    let least = 4;
    const informers = new InformerFactory({ clock: systemClock, random: systemRandom, logger: silentLogger, client: plane.client });
    informers
      .informer(Resources.deployments)
      .addHandler({ update: (_o, d) => d.metadata.name === 'web' && (least = Math.min(least, d.status?.availableReplicas ?? 0)) });
    informers.start();
    await informers.synced(AbortSignal.timeout(5000));
    await api.patch('web', 'merge', { spec: { template: template('web', 'app:2') } });
    await vi.waitFor(() => plane.rolledOut('web'), soon);
    // `kubectl rollout undo` writes the old template back.
    await api.patch('web', 'merge', { spec: { template: template('web', 'app:1') } });
    const d = await vi.waitFor(async () => {
      const now = await plane.rolledOut('web');
      expect(now.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('3');
      return now;
    }, soon);
    await informers.stop();
    expect(least).toBeGreaterThanOrEqual(3);
    expect(d.status?.conditions?.map((c) => `${c.type}=${c.status}/${c.reason}`).sort()).toEqual([
      'Available=True/MinimumReplicasAvailable',
      'Progressing=True/NewReplicaSetAvailable',
    ]);
    const sets = await plane.setsOf('web');
    expect(sets).toHaveLength(2);
    expect(sets.map((s) => s.metadata.annotations?.['deployment.kubernetes.io/revision-history']).filter(Boolean)).toEqual(['1']);
    await vi.waitFor(async () => {
      const slices = (await plane.api.endpointSlices('default').list({ labelSelector: 'kubernetes.io/service-name=web' })).items;
      expect(slices.map((s) => s.endpoints?.map((e) => e.conditions?.ready))).toEqual([[true, true, true, true]]);
      expect((await plane.api.endpoints('default').get('web')).subsets?.[0]?.addresses).toHaveLength(4);
    }, soon);
  });

  it.each(['Background', 'Foreground'] as const)('collects what a Deployment leaves behind (%s)', async (propagationPolicy) => {
    const app = `gc-${propagationPolicy.toLowerCase()}`;
    await plane.api.deployments('default').create(deployment(app, 2));
    await vi.waitFor(() => plane.rolledOut(app), soon);
    await plane.api.deployments('default').delete(app, { propagationPolicy });
    await vi.waitFor(async () => {
      await expect(plane.api.deployments('default').get(app)).rejects.toThrow(/not found/);
      expect([...(await plane.setsOf(app)), ...(await plane.podsOf(app))]).toEqual([]);
    }, soon);
  });

  it('lets orphans be, and adopts them again', async () => {
    await plane.api.deployments('default').create(deployment('orphan', 2));
    await vi.waitFor(() => plane.rolledOut('orphan'), soon);
    await plane.api.deployments('default').delete('orphan', { propagationPolicy: 'Orphan' });
    await vi.waitFor(async () => {
      expect((await plane.setsOf('orphan')).map((s) => s.metadata.ownerReferences ?? [])).toEqual([[]]);
      await expect(plane.api.deployments('default').get('orphan')).rejects.toThrow(/not found/);
    }, soon);
    const before = (await plane.podsOf('orphan')).map((p) => p.metadata.uid).sort();
    await plane.api.deployments('default').create(deployment('orphan', 2));
    await vi.waitFor(() => plane.rolledOut('orphan'), soon);
    expect((await plane.podsOf('orphan')).map((p) => p.metadata.uid).sort()).toEqual(before);
  });

  it('runs a Job to its end and counts every pod once', async () => {
    const job = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'work', namespace: 'default' },
      spec: {
        completions: 5,
        parallelism: 2,
        completionMode: 'Indexed',
        template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } },
      },
    };
    await plane.api.jobs('default').create(job as Job);
    await vi.waitFor(async () => {
      const { status } = await plane.api.jobs('default').get('work');
      expect(status).toMatchObject({ succeeded: 5, completedIndexes: '0-4' });
      expect(status?.conditions?.find((c) => c.type === 'Complete')?.status).toBe('True');
    }, soon);
  });

  it('counts as failed what a Job that fails still had running', async () => {
    const job = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'late', namespace: 'default' },
      spec: {
        completions: 5,
        parallelism: 2,
        activeDeadlineSeconds: 1,
        template: { spec: { nodeSelector: { no: 'where' }, restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } },
      },
    };
    await plane.api.jobs('default').create(job as Job);
    await vi.waitFor(async () => {
      const { status } = await plane.api.jobs('default').get('late');
      expect(status?.conditions?.find((c) => c.type === 'Failed')).toMatchObject({ status: 'True', reason: 'DeadlineExceeded' });
      expect(status).toMatchObject({ failed: 2, uncountedTerminatedPods: {} });
    }, soon);
  });

  it('keeps a StatefulSet in order', async () => {
    const set = {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'db', namespace: 'default' },
      spec: { replicas: 3, serviceName: 'db', selector: { matchLabels: { app: 'db' } }, template: template('db') },
    };
    await plane.api.statefulSets('default').create(set as StatefulSet);
    const state = async (n: number) =>
      expect((await plane.api.statefulSets('default').get('db')).status).toMatchObject({ readyReplicas: n, updatedReplicas: n, replicas: n });
    await vi.waitFor(() => state(3), soon);
    expect((await plane.podsOf('db')).map((p) => p.metadata.name).sort()).toEqual(['db-0', 'db-1', 'db-2']);
    await plane.api.statefulSets('default').patch('db', 'merge', { spec: { replicas: 1 } });
    await vi.waitFor(() => state(1), soon);
    expect((await plane.podsOf('db')).map((p) => p.metadata.name)).toEqual(['db-0']);
  });
});
