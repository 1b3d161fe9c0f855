import { describe, expect, it, vi } from 'vitest';
import type { KubeObject, VolumeAttributesClass } from '@coxswain/api';
import { resourceRef } from '@coxswain/client';
import { soon, useControlPlane } from '../testing/control-plane.js';

const plane = useControlPlane();

describe('volumes', () => {
  it('lets a class of volume attributes go when no claim names it', async () => {
    const classes = plane.client.resource(
      resourceRef<VolumeAttributesClass & KubeObject>('storage.k8s.io', 'v1', 'volumeattributesclasses', 'VolumeAttributesClass', false),
    );
    const claims = plane.api.persistentVolumeClaims('default');
    const vac = (name: string) => ({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttributesClass',
      metadata: { name },
      driverName: 'a.b',
      parameters: { a: 'b' },
    });
    await Promise.all([classes.create(vac('gold')), classes.create(vac('unused'))]);
    expect((await classes.get('gold')).metadata.finalizers).toEqual(['kubernetes.io/vac-protection']);
    await claims.create({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: 'golden', namespace: 'default' },
      spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'none', volumeAttributesClassName: 'gold', resources: { requests: { storage: '1Gi' } } },
    });
    await Promise.all([classes.delete('gold'), classes.delete('unused')]);
    await vi.waitFor(() => expect(classes.get('unused')).rejects.toMatchObject({ status: { code: 404 } }), soon);
    expect((await classes.get('gold')).metadata.deletionTimestamp).toBeDefined();
    await claims.delete('golden');
    await vi.waitFor(() => expect(classes.get('gold')).rejects.toMatchObject({ status: { code: 404 } }), soon);
  });

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
