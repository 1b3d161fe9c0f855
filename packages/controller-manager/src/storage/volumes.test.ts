import type { CSIDriver, Node, PersistentVolume, PersistentVolumeClaim, Pod } from '@coxswain/api';
import { describe, expect, test } from 'vitest';
import { type AttachView, attachmentName, isExclusive, mayStillUse, uniqueVolumeName, wantedAttachments } from './attach-detach-plan.js';
import { podUses } from './protection-controllers.js';

const pod = (name: string, node: string | undefined, volumes: NonNullable<Pod['spec']>['volumes'], phase = 'Running'): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'ns', uid: `uid-${name}` },
  spec: { containers: [], volumes, ...(node && { nodeName: node }) },
  status: { phase },
});
const claim = (name: string, volumeName: string, owner?: string): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: {
    name,
    namespace: 'ns',
    uid: `uid-${name}`,
    ...(owner && { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: owner, uid: owner, controller: true }] }),
  },
  spec: { volumeName },
});
const volume = (name: string, claimUid: string, modes = ['ReadWriteOnce']): PersistentVolume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name },
  spec: { accessModes: modes, claimRef: { uid: claimUid }, csi: { driver: 'd', volumeHandle: `handle-${name}` } },
});
const view = (pods: Pod[], claims: PersistentVolumeClaim[], volumes: PersistentVolume[], driver?: CSIDriver): AttachView => ({
  pods,
  claim: (_ns, name) => claims.find((c) => c.metadata.name === name),
  volume: (name) => volumes.find((v) => v.metadata.name === name),
  driver: () => driver,
});
const uses = (claimName: string) => [{ name: 'v', persistentVolumeClaim: { claimName } }];

describe('what has to be attached to a node', () => {
  const claims = [claim('c', 'pv'), claim('stolen', 'other')];
  const volumes = [volume('pv', 'uid-c'), volume('other', 'uid-somebody')];

  test('the volumes of its pods that run or will, each once', () => {
    const pods = [
      pod('a', 'n', uses('c')),
      pod('b', 'n', uses('c')),
      pod('done', 'n', uses('c'), 'Succeeded'),
      pod('x', 'n', uses('stolen')),
      pod('m', 'other', uses('c')),
    ];
    const wanted = wantedAttachments('n', view(pods, claims, volumes));
    expect([...wanted.values()].map((w) => [w.name, w.volume.metadata.name, w.pod.metadata.name])).toEqual([
      [attachmentName('d', 'handle-pv', 'n'), 'pv', 'a'],
    ]);
  });

  test('nothing for a driver that attaches nothing, nor for pods that ended', () => {
    const driver: CSIDriver = { apiVersion: 'storage.k8s.io/v1', kind: 'CSIDriver', metadata: { name: 'd' }, spec: { attachRequired: false } };
    expect(wantedAttachments('n', view([pod('a', 'n', uses('c'))], claims, volumes, driver)).size).toBe(0);
    expect(wantedAttachments('n', view([pod('a', 'n', uses('c'), 'Failed')], claims, volumes)).size).toBe(0);
  });

  test('the name is the one every kubelet computes', () => {
    // sha256 of handle, driver and node: `printf hdn | sha256sum`.
    expect(attachmentName('d', 'h', 'n')).toBe('csi-9072ed11cc1acb5fa433a877ff339b6311d013f33bddd1d0092711a8ace5b16d');
  });

  test('a node keeps what it says it uses, unless it is out of service', () => {
    const node = (taints: { key: string; effect: string }[] = []): Node => ({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'n' },
      spec: { taints },
      status: { volumesInUse: [uniqueVolumeName('d', 'h')] },
    });
    expect(mayStillUse(node(), 'kubernetes.io/csi/d^h')).toBe(true);
    expect(mayStillUse(node(), 'kubernetes.io/csi/d^other')).toBe(false);
    expect(mayStillUse(node([{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }]), 'kubernetes.io/csi/d^h')).toBe(false);
    expect(mayStillUse(undefined, 'kubernetes.io/csi/d^h')).toBe(false);
  });

  test('only volumes for several nodes are attached to several', () => {
    expect(isExclusive(volume('a', 'u'))).toBe(true);
    expect(isExclusive(volume('a', 'u', ['ReadWriteOnce', 'ReadOnlyMany']))).toBe(false);
  });
});

describe('who uses a claim', () => {
  test('a pod that is placed and not finished', () => {
    expect(podUses(pod('a', 'n', uses('c')), claim('c', 'pv'))).toBe(true);
    expect(podUses(pod('a', undefined, uses('c')), claim('c', 'pv'))).toBe(false);
    expect(podUses(pod('a', 'n', uses('c'), 'Succeeded'), claim('c', 'pv'))).toBe(false);
    expect(podUses(pod('a', 'n', uses('other')), claim('c', 'pv'))).toBe(false);
  });

  test("an ephemeral volume's claim is its own pod's, not that of the next pod of the name", () => {
    const volumes = [{ name: 'scratch', ephemeral: {} }];
    expect(podUses(pod('a', 'n', volumes), claim('a-scratch', 'pv', 'uid-a'))).toBe(true);
    expect(podUses(pod('a', 'n', volumes), claim('a-scratch', 'pv', 'uid-former'))).toBe(false);
  });
});
