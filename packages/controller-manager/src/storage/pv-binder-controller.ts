import { compareQuantities, type KubeObject, type PersistentVolume, type PersistentVolumeClaim } from '@coxswain/api';
import { isNotFound, labelSelectorFromObject } from '@coxswain/apimachinery';
import { Resources, splitKey } from '@coxswain/client';
import type { Controller, ControllerContext } from '../runtime/controller-context.js';

const BIND_COMPLETED = 'pv.kubernetes.io/bind-completed';
const BOUND_BY_CONTROLLER = 'pv.kubernetes.io/bound-by-controller';
const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
const PROVISIONER = 'volume.kubernetes.io/storage-provisioner';
const BETA_PROVISIONER = 'volume.beta.kubernetes.io/storage-provisioner';
const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';
const NO_PROVISIONER = 'kubernetes.io/no-provisioner';

const className = (claim: PersistentVolumeClaim): string =>
  claim.metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? claim.spec?.storageClassName ?? '';
const sizeOf = (pv: PersistentVolume): string => pv.spec?.capacity?.storage ?? '0';

/** Whether the volume is reserved for this very claim. */
const isFor = (pv: PersistentVolume, claim: PersistentVolumeClaim): boolean => {
  const ref = pv.spec?.claimRef;
  return ref !== undefined && ref.namespace === claim.metadata.namespace && ref.name === claim.metadata.name && (!ref.uid || ref.uid === claim.metadata.uid);
};

/** The volume for a claim: one reserved for it, else the smallest that satisfies it. Pure. */
export function findVolume(claim: PersistentVolumeClaim, volumes: readonly PersistentVolume[]): PersistentVolume | undefined {
  const wanted = claim.spec?.resources?.requests?.storage ?? '0';
  const selector = claim.spec?.selector ? labelSelectorFromObject(claim.spec.selector) : undefined;
  let best: PersistentVolume | undefined;
  for (const pv of volumes) {
    if (pv.metadata.deletionTimestamp || (pv.spec?.volumeMode ?? 'Filesystem') !== (claim.spec?.volumeMode ?? 'Filesystem')) continue;
    if (compareQuantities(sizeOf(pv), wanted) < 0) continue;
    if (isFor(pv, claim)) return pv;
    if (pv.spec?.claimRef || pv.status?.phase !== 'Available' || (pv.spec?.storageClassName ?? '') !== className(claim)) continue;
    if (!(claim.spec?.accessModes ?? []).every((m) => pv.spec?.accessModes?.includes(m)) || (selector && !selector.matches(pv.metadata.labels))) continue;
    if (!best || compareQuantities(sizeOf(pv), sizeOf(best)) < 0) best = pv;
  }
  return best;
}

/** Brings claims and volumes together, and says what becomes of volumes whose claim is gone. */
export function pvBinderController({ client, informers, events }: ControllerContext): Controller {
  const claims = informers.informer(Resources.persistentVolumeClaims);
  const volumes = informers.informer(Resources.persistentVolumes);
  const classes = informers.informer(Resources.storageClasses);
  const PVC = 'claim:';
  const PV = 'volume:';
  const claimKey = (o: { metadata: { namespace?: string; name?: string } }) => `${PVC}${o.metadata.namespace}/${o.metadata.name}`;

  async function volumePhase(pv: PersistentVolume, phase: string, signal: AbortSignal): Promise<void> {
    // The controller's role may update volumes and claims, not patch them.
    const { message: _message, reason: _reason, ...status } = pv.status ?? {};
    if (status.phase !== phase) await client.api.persistentVolumes().updateStatus({ ...pv, status: { ...status, phase } }, { signal });
  }

  async function bind(claim: PersistentVolumeClaim, pv: PersistentVolume, signal: AbortSignal): Promise<void> {
    const { namespace, name, uid } = claim.metadata;
    let volume = pv;
    if (volume.spec?.claimRef?.uid !== uid) {
      const annotations = { ...pv.metadata.annotations, ...(!pv.spec?.claimRef && { [BOUND_BY_CONTROLLER]: 'yes' }) };
      const claimRef = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid, resourceVersion: claim.metadata.resourceVersion };
      volume = await client.api
        .persistentVolumes()
        .update({ ...pv, metadata: { ...pv.metadata, annotations }, spec: { ...pv.spec, claimRef } as PersistentVolume['spec'] }, { signal });
    }
    await volumePhase(volume, 'Bound', signal);
    const api = client.api.persistentVolumeClaims(namespace);
    let bound = claim;
    if (claim.spec?.volumeName !== pv.metadata.name || !claim.metadata.annotations?.[BIND_COMPLETED]) {
      const annotations = { ...claim.metadata.annotations, [BIND_COMPLETED]: 'yes', ...(!claim.spec?.volumeName && { [BOUND_BY_CONTROLLER]: 'yes' }) };
      bound = await api.update(
        { ...claim, metadata: { ...claim.metadata, annotations }, spec: { ...claim.spec, volumeName: pv.metadata.name } as PersistentVolumeClaim['spec'] },
        { signal },
      );
    }
    if (claim.status?.phase !== 'Bound') {
      const status = { ...bound.status, phase: 'Bound', accessModes: pv.spec?.accessModes ?? [], capacity: pv.spec?.capacity ?? {} };
      await api.updateStatus({ ...bound, status }, { signal });
    }
  }

  async function syncClaim(claim: PersistentVolumeClaim, signal: AbortSignal): Promise<void> {
    const api = client.api.persistentVolumeClaims(claim.metadata.namespace);
    if (claim.spec?.volumeName) {
      const pv = volumes.lister.get(claim.spec.volumeName) ?? (await client.api.persistentVolumes().get(claim.spec.volumeName, { signal }).catch(gone));
      const lost = claim.metadata.annotations?.[BIND_COMPLETED] && (!pv || (pv.spec?.claimRef && !isFor(pv, claim)));
      if (lost) {
        if (claim.status?.phase === 'Lost') return;
        const { accessModes: _modes, capacity: _capacity, ...status } = claim.status ?? {};
        await api.updateStatus({ ...claim, status: { ...status, phase: 'Lost' } }, { signal });
        events(claim as KubeObject, 'Warning', 'ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!');
      } else if (pv && (!pv.spec?.claimRef || isFor(pv, claim))) await bind(claim, pv, signal);
      return;
    }
    if (claim.metadata.deletionTimestamp) return;
    const cls = classes.lister.get(className(claim));
    const waits = cls?.volumeBindingMode === 'WaitForFirstConsumer' && !claim.metadata.annotations?.[SELECTED_NODE];
    const candidates = volumes.lister.list();
    const reserved = candidates.find((pv) => isFor(pv, claim));
    if (waits && !reserved) return events(claim as KubeObject, 'Normal', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding');
    const pv = reserved ?? findVolume(claim, candidates);
    if (pv) return bind(claim, pv, signal);
    if (claim.spec?.storageClassName === undefined) {
      const preset = classes.lister
        .list()
        .filter((c) => c.metadata.annotations?.[DEFAULT_CLASS] === 'true')
        .sort((a, b) => (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? ''))[0];
      if (preset)
        return void (await api.update(
          { ...claim, spec: { ...claim.spec, storageClassName: preset.metadata.name } as PersistentVolumeClaim['spec'] },
          { signal },
        ));
    }
    if (cls?.provisioner && cls.provisioner !== NO_PROVISIONER) {
      if (claim.metadata.annotations?.[PROVISIONER] !== cls.provisioner)
        await api.update(
          {
            ...claim,
            metadata: {
              ...claim.metadata,
              annotations: { ...claim.metadata.annotations, [PROVISIONER]: cls.provisioner, [BETA_PROVISIONER]: cls.provisioner },
            },
          },
          { signal },
        );
      return events(
        claim as KubeObject,
        'Normal',
        'ExternalProvisioning',
        `Waiting for a volume to be created either by the external provisioner '${cls.provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`,
      );
    }
    if (className(claim) !== '' && !cls)
      return events(claim as KubeObject, 'Warning', 'ProvisioningFailed', `storageclass.storage.k8s.io "${className(claim)}" not found`);
    events(claim as KubeObject, 'Normal', 'FailedBinding', 'no persistent volumes available for this claim and no storage class is set');
  }

  async function syncVolume(pv: PersistentVolume, signal: AbortSignal): Promise<void> {
    const ref = pv.spec?.claimRef;
    if (!ref?.uid && pv.metadata.deletionTimestamp) return undefined;
    if (!ref) return volumePhase(pv, 'Available', signal);
    if (!ref.uid) return volumePhase(pv, 'Available', signal);
    const cached = claims.lister.get(ref.name ?? '', ref.namespace);
    const claim =
      cached?.metadata.uid === ref.uid
        ? cached
        : await client.api
            .persistentVolumeClaims(ref.namespace)
            .get(ref.name ?? '', { signal })
            .catch(gone);
    if (claim?.metadata.uid === ref.uid)
      return claim?.spec?.volumeName === pv.metadata.name && claim?.status?.phase === 'Bound' ? volumePhase(pv, 'Bound', signal) : undefined;
    // Its claim is gone. The change of the phase brings the volume here again.
    if (pv.status?.phase !== 'Released' && pv.status?.phase !== 'Failed') return volumePhase(pv, 'Released', signal);
    if (pv.status.phase === 'Released') await reclaim(pv, signal);
  }

  /** Nobody of ours made what is behind a volume, so nobody of ours removes or empties it: that is for who provisioned it. */
  async function reclaim(pv: PersistentVolume, signal: AbortSignal): Promise<void> {
    const { persistentVolumeReclaimPolicy: policy, csi } = pv.spec ?? {};
    const deletes = policy === 'Delete' && !csi && !pv.metadata.annotations?.['pv.kubernetes.io/provisioned-by'];
    if (!deletes && policy !== 'Recycle') return;
    const reason = deletes ? 'VolumeFailedDelete' : 'VolumeFailedRecycle';
    const message = deletes
      ? `error getting deleter volume plugin for volume "${pv.metadata.name}": no deletable volume plugin matched`
      : 'No recycler plugin found for the volume!';
    await client.api.persistentVolumes().updateStatus({ ...pv, status: { ...pv.status, phase: 'Failed', message } }, { signal });
    events(pv as KubeObject, 'Warning', reason, message);
  }

  return {
    name: 'persistentvolume-binder',
    watch(queue) {
      const ofVolume = (pv: PersistentVolume) => {
        queue.add(PV + (pv.metadata.name ?? ''));
        const ref = pv.spec?.claimRef;
        if (ref) queue.add(`${PVC}${ref.namespace}/${ref.name}`);
      };
      const pending = () => {
        for (const c of claims.lister.list()) if (!c.spec?.volumeName) queue.add(claimKey(c));
      };
      const undo = [
        claims.addHandler({
          add: (c) => queue.add(claimKey(c)),
          update: (_o, c) => queue.add(claimKey(c)),
          delete: (c) => c.spec?.volumeName && queue.add(PV + c.spec.volumeName),
        }),
        volumes.addHandler({
          add(v) {
            ofVolume(v);
            pending();
          },
          update(old, v) {
            ofVolume(v);
            if (old.status?.phase !== v.status?.phase && v.status?.phase === 'Available') pending();
          },
          delete: ofVolume,
        }),
        classes.addHandler({ add: pending, update: pending }),
      ];
      return () => undo.forEach((f) => f());
    },
    async reconcile(at, signal) {
      if (at.startsWith(PV)) {
        const pv = volumes.lister.get(at.slice(PV.length));
        if (pv) await syncVolume(pv, signal);
      } else {
        const { namespace, name } = splitKey(at.slice(PVC.length));
        const claim = claims.lister.get(name, namespace);
        if (claim) await syncClaim(claim, signal);
      }
      return undefined;
    },
  };
}

function gone(error: unknown): undefined {
  if (!isNotFound(error)) throw error;
  return undefined;
}
