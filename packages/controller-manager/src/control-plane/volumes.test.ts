import { describe, expect, it, vi } from 'vitest';
import { soon, useControlPlane } from '../testing/control-plane.js';

const plane = useControlPlane();

describe('volumes', () => {
  it('lets a volume go that was deleted before its claim', async () => {
    const volumes = plane.api.persistentVolumes();
    const claims = plane.api.persistentVolumeClaims('default');
    const size = { storage: '1Gi' };
    const accessModes = ['ReadWriteOnce'];
    await volumes.create({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'v' },
      spec: { storageClassName: 'none', accessModes, capacity: size, hostPath: { path: '/nowhere' }, persistentVolumeReclaimPolicy: 'Retain' },
    });
    await claims.create({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'c', namespace: 'default' },
      spec: { storageClassName: 'none', accessModes, resources: { requests: size } },
    });
    await vi.waitFor(async () => expect([(await claims.get('c')).status?.phase, (await volumes.get('v')).status?.phase]).toEqual(['Bound', 'Bound']), soon);
    await volumes.delete('v');
    await claims.delete('c');
    await vi.waitFor(() => expect(volumes.get('v')).rejects.toMatchObject({ status: { code: 404 } }), soon);
  });

  it('says of a volume that nobody can delete that it failed, and leaves it at that', async () => {
    const volumes = plane.api.persistentVolumes();
    const size = { storage: '1Gi' };
    const accessModes = ['ReadWriteOnce'];
    await volumes.create({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: 'kept' },
      spec: { storageClassName: 'kept', accessModes, capacity: size, hostPath: { path: '/nowhere' }, persistentVolumeReclaimPolicy: 'Delete' },
    });
    const claims = plane.api.persistentVolumeClaims('default');
    await claims.create({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'kept', namespace: 'default' },
      spec: { storageClassName: 'kept', accessModes, resources: { requests: size } },
    });
    await vi.waitFor(async () => expect((await volumes.get('kept')).status?.phase).toBe('Bound'), soon);
    await claims.delete('kept');
    const failed = { phase: 'Failed', message: 'error getting deleter volume plugin for volume "kept": no deletable volume plugin matched' };
    await vi.waitFor(async () => expect((await volumes.get('kept')).status).toMatchObject(failed), soon);
    // Looked at once more it stays so.
    await volumes.patch('kept', 'merge', { metadata: { labels: { looked: 'at' } } });
    const { metadata } = await volumes.get('kept');
    await claims.create({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'another', namespace: 'default' },
      spec: { storageClassName: 'none-such', accessModes, resources: { requests: size } },
    });
    await vi.waitFor(async () => {
      const { items } = await plane.api.events('default').list();
      expect(items.some((e) => e.involvedObject?.name === 'another')).toBe(true);
    }, soon);
    expect(await volumes.get('kept')).toMatchObject({ metadata: { resourceVersion: metadata.resourceVersion }, status: failed });
    await Promise.all([volumes.delete('kept'), claims.delete('another')]);
  });
});
