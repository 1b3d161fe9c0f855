import type { KubeObject, Node, PersistentVolume, Pod, VolumeAttachment } from '@coxswain/api';
import { claimsOfVolumes, isAlreadyExists, isNotFound } from '@coxswain/apimachinery';
import { Resources } from '@coxswain/client';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';
import {
  type AttachView,
  attachmentName,
  elsewhere,
  isExclusive,
  mayStillUse,
  uniqueVolumeName,
  type WantedAttachment,
  wantedAttachments,
} from './attach-detach-plan.js';

/** A node that never said that it is done loses the volume after this, when it does not answer. Milliseconds; upstream's. */
const FORCE_AFTER = 6 * 60_000;

/**
 * Volumes are attached to the nodes whose pods use them, and detached when none does and the node is done with them. It says so by
 * VolumeAttachment objects; the driver's attacher does it. A key is a node.
 */
export function attachDetachController({ client, informers, events, clock }: ControllerContext): Controller {
  const pods = informers.informer(Resources.pods);
  const nodes = informers.informer(Resources.nodes);
  const claims = informers.informer(Resources.persistentVolumeClaims);
  const volumes = informers.informer(Resources.persistentVolumes);
  const drivers = informers.informer(Resources.csiDrivers);
  const attachments = informers.informer(Resources.volumeAttachments);
  pods.addIndex('node', (p) => (p.spec?.nodeName ? [p.spec.nodeName] : []));
  attachments.addIndex('node', (a) => [a.spec.nodeName]);
  /** Attachment → since when nobody wants it. */
  const unwanted = new Map<string, number>();

  const view = (node: string): AttachView => ({
    pods: pods.lister.byIndex('node', node),
    claim: (namespace, name) => claims.lister.get(name, namespace),
    volume: (name) => volumes.lister.get(name),
    driver: (name) => drivers.lister.get(name),
  });

  /** Only those we would have made: anybody may make attachments of their own. */
  const isOurs = (a: VolumeAttachment): boolean => {
    const csi = volumes.lister.get(a.spec.source.persistentVolumeName ?? '')?.spec?.csi;
    return csi !== undefined && a.metadata.name === attachmentName(csi.driver, csi.volumeHandle, a.spec.nodeName);
  };

  /** True: made, or there already. */
  async function attach(wanted: WantedAttachment, signal: AbortSignal): Promise<boolean> {
    const pvName = wanted.volume.metadata.name ?? '';
    const others = isExclusive(wanted.volume) ? elsewhere(wanted, attachments.lister.list()) : [];
    if (others.length > 0) {
      const users = pods.lister
        .list()
        .filter((p) => p.spec?.nodeName !== wanted.node && others.some((a) => a.spec.nodeName === p.spec?.nodeName) && uses(p, wanted.volume));
      const why =
        users.length > 0
          ? `Volume is already used by pod(s) ${users.map((p) => p.metadata.name).join(', ')}`
          : "Volume is already exclusively attached to one node and can't be attached to another";
      events(wanted.pod as KubeObject, 'Warning', 'FailedAttachVolume', `Multi-Attach error for volume "${pvName}" ${why}`);
      return false;
    }
    try {
      await client.api.volumeAttachments().create(
        {
          apiVersion: 'storage.k8s.io/v1',
          kind: 'VolumeAttachment',
          metadata: { name: wanted.name },
          spec: { attacher: wanted.driver, nodeName: wanted.node, source: { persistentVolumeName: pvName } },
        },
        { signal },
      );
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    return true;
  }

  function uses(pod: Pod, volume: PersistentVolume): boolean {
    return claimsOfVolumes(pod).some((name) => claims.lister.get(name, pod.metadata.namespace)?.spec?.volumeName === volume.metadata.name);
  }

  /** True: it has to wait for the node. */
  async function detach(attachment: VolumeAttachment, node: Node | undefined, signal: AbortSignal): Promise<boolean> {
    const name = attachment.metadata.name ?? '';
    if (attachment.metadata.deletionTimestamp) return false;
    const csi = volumes.lister.get(attachment.spec.source.persistentVolumeName ?? '')?.spec?.csi;
    const since = unwanted.get(name) ?? clock.monotonic();
    unwanted.set(name, since);
    if (csi && mayStillUse(node, uniqueVolumeName(csi.driver, csi.volumeHandle))) {
      const silent = node?.status?.conditions?.find((c) => c.type === 'Ready')?.status !== 'True';
      if (!silent || clock.monotonic() - since < FORCE_AFTER) return true;
    }
    await client.api
      .volumeAttachments()
      .delete(name, { signal })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    return false;
  }

  /** The node is told what is attached to it. */
  async function tell(node: Node, ours: readonly VolumeAttachment[], signal: AbortSignal): Promise<void> {
    const attached = ours
      .filter((a) => a.status?.attached)
      .flatMap((a) => {
        const csi = volumes.lister.get(a.spec.source.persistentVolumeName ?? '')?.spec?.csi;
        return csi ? [{ name: uniqueVolumeName(csi.driver, csi.volumeHandle), devicePath: '' }] : [];
      })
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const before = node.status?.volumesAttached ?? [];
    if (JSON.stringify(attached.map((a) => a.name)) === JSON.stringify(before.map((a) => a.name))) return;
    const status = { volumesAttached: attached.length > 0 ? attached : null };
    await client.api.nodes().patch(node.metadata.name ?? '', 'merge', { status }, { subresource: 'status', signal });
  }

  function report(wanted: WantedAttachment, old: VolumeAttachment | undefined, now: VolumeAttachment): void {
    const pv = wanted.volume.metadata.name;
    if (now.status?.attached && !old?.status?.attached)
      events(wanted.pod as KubeObject, 'Normal', 'SuccessfulAttachVolume', `AttachVolume.Attach succeeded for volume "${pv}" `);
    const failure = now.status?.attachError;
    if (failure && failure.time !== old?.status?.attachError?.time)
      events(wanted.pod as KubeObject, 'Warning', 'FailedAttachVolume', `AttachVolume.Attach failed for volume "${pv}" : ${failure.message ?? ''}`);
  }

  return {
    name: 'attach-detach',
    watch(queue) {
      const ofPod = (p: Pod) => p.spec?.nodeName && claimsOfVolumes(p).length > 0 && queue.add(p.spec.nodeName);
      /** A volume was freed: whoever waits for it looks again. */
      const waiting = (a: VolumeAttachment) => {
        for (const p of pods.lister.list()) {
          const pv = volumes.lister.get(a.spec.source.persistentVolumeName ?? '');
          if (pv && p.spec?.nodeName && uses(p, pv)) queue.add(p.spec.nodeName);
        }
      };
      const undo = [
        pods.addHandler({ add: ofPod, update: (_old, p) => ofPod(p), delete: ofPod }),
        claims.addHandler({
          update(old, c) {
            if (old.spec?.volumeName === c.spec?.volumeName) return;
            for (const p of pods.lister.list({ namespace: c.metadata.namespace })) if (claimsOfVolumes(p).includes(c.metadata.name ?? '')) ofPod(p);
          },
        }),
        nodes.addHandler({
          add: (n) => queue.add(n.metadata.name ?? ''),
          update: (old, n) => nodeFacts(old) !== nodeFacts(n) && queue.add(n.metadata.name ?? ''),
          delete: (n) => queue.add(n.metadata.name ?? ''),
        }),
        attachments.addHandler({
          add: (a) => queue.add(a.spec.nodeName),
          update(old, a) {
            queue.add(a.spec.nodeName);
            const wanted = wantedAttachments(a.spec.nodeName, view(a.spec.nodeName)).get(a.metadata.name ?? '');
            if (wanted) report(wanted, old, a);
          },
          delete(a) {
            queue.add(a.spec.nodeName);
            waiting(a);
          },
        }),
      ];
      return () => undo.forEach((f) => f());
    },
    async reconcile(name, signal) {
      const node = nodes.lister.get(name);
      const ours = attachments.lister.byIndex('node', name).filter(isOurs);
      const wanted = node ? wantedAttachments(name, view(name)) : new Map<string, WantedAttachment>();
      let wait = false;
      for (const attachment of ours) {
        const id = attachment.metadata.name ?? '';
        if (wanted.has(id)) unwanted.delete(id);
        else if (await detach(attachment, node, signal)) wait = true;
      }
      for (const id of unwanted.keys()) if (!attachments.lister.get(id)) unwanted.delete(id);
      for (const one of wanted.values()) {
        if (ours.some((a) => a.metadata.name === one.name)) continue;
        if (!(await attach(one, signal))) wait = true;
      }
      if (node) await tell(node, ours, signal);
      return wait ? { requeueAfterMs: 2000 } : undefined;
    },
  };
}

const nodeFacts = (node: Node): string =>
  JSON.stringify([
    node.status?.volumesInUse,
    node.status?.volumesAttached?.map((v) => v.name),
    node.status?.conditions?.find((c) => c.type === 'Ready')?.status,
    node.spec?.taints?.map((t) => t.key),
  ]);
