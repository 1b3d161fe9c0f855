import type { CSINode, VolumeAttachment } from '@coxswain/api';
import { formatTime, isNotFound } from '@coxswain/apimachinery';
import { Resources } from '@coxswain/client';
import type { Controller, ManagedContext } from '@coxswain/controller';
import { ControllerServiceCapability_RPC_Type as Capability } from '@coxswain/csi';
import type { CsiControllerConfig } from './csi-controller-config.js';
import type { ControlledDriver } from './csi-controller.js';
import { capabilitiesOf, useOfVolume } from './csi-requests.js';

/** Does what VolumeAttachments of its driver ask for: attaches, and before one goes detaches. */
export function csiAttacher({ client, informers, clock }: ManagedContext<CsiControllerConfig>, driver: ControlledDriver): Controller {
  const attachments = informers.informer(Resources.volumeAttachments);
  const volumes = informers.informer(Resources.persistentVolumes);
  const csiNodes = informers.informer(Resources.csiNodes);
  const finalizer = `external-attacher/${driver.name.replaceAll('.', '-')}`;
  const attaches = driver.capabilities.has(Capability.PUBLISH_UNPUBLISH_VOLUME);
  const { controller } = driver.connection;

  const nodeId = (name: string): string => {
    const id = csiNodes.lister.get(name)?.spec.drivers?.find((d) => d.name === driver.name)?.nodeID;
    if (!id) throw new Error(`CSINode ${name} does not contain driver ${driver.name}`);
    return id;
  };

  const pvOf = (a: VolumeAttachment) => {
    const name = a.spec.source.persistentVolumeName;
    if (!name) throw new Error('an attachment without persistentVolumeName is not supported');
    const pv = volumes.lister.get(name);
    if (pv?.spec?.csi?.driver !== driver.name) throw new Error(pv ? `volume ${name} is not of driver ${driver.name}` : `persistentvolume "${name}" not found`);
    return { pv, csi: pv.spec.csi };
  };

  async function setFinalizer(a: VolumeAttachment, wanted: boolean, signal: AbortSignal): Promise<void> {
    const others = (a.metadata.finalizers ?? []).filter((f) => f !== finalizer);
    if ((a.metadata.finalizers?.includes(finalizer) ?? false) === wanted) return;
    const metadata = { finalizers: wanted ? [...others, finalizer] : others, resourceVersion: a.metadata.resourceVersion };
    await client.api.volumeAttachments().patch(a.metadata.name ?? '', 'merge', { metadata }, { signal });
  }

  const setStatus = (a: VolumeAttachment, status: object, signal: AbortSignal) =>
    client.api.volumeAttachments().patch(a.metadata.name ?? '', 'merge', { status }, { subresource: 'status', signal });

  async function attach(a: VolumeAttachment, signal: AbortSignal): Promise<void> {
    const { pv, csi } = pvOf(a);
    if (pv.metadata.deletionTimestamp) throw new Error(`PersistentVolume "${pv.metadata.name}" is marked for deletion`);
    let publishContext: Readonly<Record<string, string>> = {};
    if (attaches) {
      // From now on it is ours to detach.
      await setFinalizer(a, true, signal);
      const [volumeCapability] = capabilitiesOf(useOfVolume(pv), driver.capabilities);
      const response = await controller.controllerPublishVolume(
        {
          volumeId: csi.volumeHandle,
          nodeId: nodeId(a.spec.nodeName),
          ...(volumeCapability && { volumeCapability }),
          readonly: driver.capabilities.has(Capability.PUBLISH_READONLY) && csi.readOnly === true,
          volumeContext: csi.volumeAttributes ?? {},
        },
        { signal },
      );
      publishContext = response.publishContext;
    }
    await setStatus(a, { attached: true, attachmentMetadata: Object.keys(publishContext).length > 0 ? publishContext : null, attachError: null }, signal);
  }

  async function detach(a: VolumeAttachment, signal: AbortSignal): Promise<void> {
    if (!a.metadata.finalizers?.includes(finalizer)) return;
    const { csi } = pvOf(a);
    await controller.controllerUnpublishVolume({ volumeId: csi.volumeHandle, nodeId: knownNodeId(a, csiNodes.lister.get(a.spec.nodeName)) }, { signal });
    await setFinalizer(a, false, signal);
  }

  /** A node that is gone was known by its name or by what it said of itself. */
  function knownNodeId(a: VolumeAttachment, node: CSINode | undefined): string {
    return node?.spec.drivers?.find((d) => d.name === driver.name)?.nodeID ?? a.spec.nodeName;
  }

  return {
    name: 'csi-attacher',
    backoff: { baseMs: 500, maxMs: 60_000 },
    watch(queue) {
      const mine = (a: VolumeAttachment) => a.spec.attacher === driver.name && queue.add(a.metadata.name ?? '');
      const undo = [
        attachments.addHandler({ add: mine, update: (_old, a) => mine(a) }),
        csiNodes.addHandler({
          update: (_old, n) => attachments.lister.list().forEach((a) => a.spec.nodeName === n.metadata.name && !a.status?.attached && mine(a)),
          add: (n) => attachments.lister.list().forEach((a) => a.spec.nodeName === n.metadata.name && !a.status?.attached && mine(a)),
        }),
      ];
      return () => undo.forEach((f) => f());
    },
    async reconcile(name, signal) {
      const attachment = attachments.lister.get(name);
      if (!attachment) return undefined;
      const { deletionTimestamp } = attachment.metadata;
      if (!deletionTimestamp && attachment.status?.attached) return undefined;
      try {
        await (deletionTimestamp ? detach(attachment, signal) : attach(attachment, signal));
      } catch (error) {
        if (isNotFound(error)) return undefined;
        signal.throwIfAborted();
        const failure = { time: formatTime(clock.now()), message: (error as Error).message };
        await setStatus(attachment, deletionTimestamp ? { detachError: failure } : { attached: false, attachError: failure }, signal).catch(() => {});
        throw error;
      }
      return undefined;
    },
  };
}
