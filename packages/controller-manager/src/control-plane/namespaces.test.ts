import { describe, expect, it, vi } from 'vitest';
import type { KubeObject, ServiceCIDR } from '@coxswain/api';
import { resourceRef, Resources } from '@coxswain/client';
import { deployment, soon, template, useControlPlane } from '../testing/control-plane.js';

const plane = useControlPlane();

describe('namespaces, nodes and the ranges of a cluster', () => {
  it('gives namespaces their service account and root CA, nodes their CIDR', async () => {
    await vi.waitFor(async () => {
      await plane.api.serviceAccounts('default').get('default');
      expect((await plane.api.configMaps('default').get('kube-root-ca.crt')).data?.['ca.crt']).toContain('BEGIN CERTIFICATE');
      expect((await plane.api.nodes().list()).items.map((n) => n.spec?.podCIDR).sort()).toEqual(['10.244.0.0/24', '10.244.1.0/24']);
    }, soon);
  });

  it('empties a namespace of its pods before anything that they use', async () => {
    const metadata = { namespace: 'ordered' };
    await plane.api.namespaces().create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ordered' } });
    await vi.waitFor(() => plane.api.serviceAccounts('ordered').get('default'), soon);
    const pods = plane.api.pods('ordered');
    await pods.create({ apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'held', finalizers: ['example.com/hold'] }, spec: template('a').spec });
    await plane.api.configMaps('ordered').create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { ...metadata, name: 'used' }, data: {} });
    await plane.api.namespaces().delete('ordered');
    await vi.waitFor(async () => {
      const { status } = await plane.api.namespaces().get('ordered');
      expect(status?.conditions?.find((c) => c.type === 'NamespaceFinalizersRemaining')?.message).toContain('example.com/hold in 1 resource instances');
    }, soon);
    await plane.api.configMaps('ordered').get('used');
    await pods.patch('held', 'merge', { metadata: { finalizers: null } });
    await vi.waitFor(() => expect(plane.api.namespaces().get('ordered')).rejects.toMatchObject({ status: { code: 404 } }), soon);
  });

  it('empties a namespace that is deleted, whatever is in it', async () => {
    await plane.api.namespaces().create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'gone' } });
    await plane.api.deployments('gone').create({ ...deployment('web', 2), metadata: { name: 'web', namespace: 'gone' } });
    await plane.api
      .configMaps('gone')
      .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'held', namespace: 'gone', finalizers: ['example.com/hold'] } });
    await vi.waitFor(async () => expect((await plane.api.pods('gone').list()).items).toHaveLength(2), soon);
    await plane.api.namespaces().delete('gone');
    await vi.waitFor(async () => {
      const ns = await plane.api.namespaces().get('gone');
      expect(ns.status?.conditions?.find((c) => c.type === 'NamespaceFinalizersRemaining')).toMatchObject({
        status: 'True',
        message: 'Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances',
      });
    }, soon);
    await plane.api.configMaps('gone').patch('held', 'merge', { metadata: { finalizers: null } });
    await vi.waitFor(() => expect(plane.api.namespaces().get('gone')).rejects.toThrow(/not found/), soon);
    expect((await plane.client.resource<KubeObject>(Resources.deployments as never, 'gone').list()).items).toEqual([]);
  });

  it('counts for a quota whatever it names, and gives back what is deleted', async () => {
    const hard = { secrets: '5', 'count/replicasets.apps': '5', 'requests.example.com/dongle': '3' };
    const quotas = plane.api.resourceQuotas('default');
    const used = (want: Record<string, string>) => vi.waitFor(async () => expect((await quotas.get('all')).status?.used).toEqual(want), soon);
    await plane.api.secrets('default').create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'counted', namespace: 'default' } });
    const sets = String((await plane.api.replicaSets('default').list()).items.length);
    await quotas.create({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'all', namespace: 'default' }, spec: { hard } });
    const rest = { 'count/replicasets.apps': sets, 'requests.example.com/dongle': '0' };
    await used({ secrets: '1', ...rest });
    await plane.api.secrets('default').delete('counted');
    await used({ secrets: '0', ...rest });
    await quotas.delete('all');
  });

  it('makes ranges of service addresses ready, and lets unused ones go', async () => {
    const api = plane.client.resource(resourceRef<ServiceCIDR & KubeObject>('networking.k8s.io', 'v1', 'servicecidrs', 'ServiceCIDR', false));
    const isReady = (name: string) =>
      vi.waitFor(async () => expect((await api.get(name)).status?.conditions).toMatchObject([{ type: 'Ready', status: 'True' }]), soon);
    await isReady('kubernetes');
    await api.create({ apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name: 'more' }, spec: { cidrs: ['192.168.100.0/24'] } });
    await isReady('more');
    await api.delete('more');
    await vi.waitFor(() => expect(api.get('more')).rejects.toMatchObject({ status: { code: 404 } }), soon);
  });
});
