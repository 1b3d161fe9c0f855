import { quantityValue, type KubeObject, type Node, type PersistentVolume, type PersistentVolumeClaim, type StorageClass } from '@coxswain/api';
import { isAlreadyExists, isNotFound } from '@coxswain/apimachinery';
import { Resources, splitKey } from '@coxswain/client';
import { type Controller, type ManagedContext, TerminalError } from '@coxswain/controller';
import { isRpcError } from '@coxswain/cri';
import type { Volume } from '@coxswain/csi';
import type { CsiControllerConfig } from './csi-controller-config.js';
import type { ControlledDriver } from './csi-controller.js';
import { capabilitiesOf, claimKey, driverParameters } from './csi-requests.js';

const PROVISIONER = 'volume.kubernetes.io/storage-provisioner';
const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';
const FINALIZER = 'external-provisioner.volume.kubernetes.io/finalizer';
const PVC = 'claim:';
const PV = 'volume:';

/** Makes volumes for claims of classes of its driver, and deletes those whose claim is gone, if that is their policy. */
export function csiProvisioner({ client, informers, events, config }: ManagedContext<CsiControllerConfig>, driver: ControlledDriver): Controller {
  const claims = informers.informer(Resources.persistentVolumeClaims);
  const volumes = informers.informer(Resources.persistentVolumes);
  const classes = informers.informer(Resources.storageClasses);
  const attachments = informers.informer(Resources.volumeAttachments);
  const nodes = informers.informer(Resources.nodes);
  const csiNodes = informers.informer(Resources.csiNodes);
  const { controller } = driver.connection;

  const wants = (c: PersistentVolumeClaim): StorageClass | undefined => {
    if (c.spec?.volumeName || c.metadata.deletionTimestamp || c.metadata.annotations?.[PROVISIONER] !== driver.name) return undefined;
    const found = classes.lister.get(c.spec?.storageClassName ?? '');
    if (found?.provisioner !== driver.name) return undefined;
    return found.volumeBindingMode !== 'WaitForFirstConsumer' || c.metadata.annotations?.[SELECTED_NODE] ? found : undefined;
  };

  const isOurs = (pv: PersistentVolume) => pv.spec?.csi?.driver === driver.name && pv.metadata.annotations?.[PROVISIONED_BY] === driver.name;

  /** Where the volume has to be reachable from: the node its first pod was placed on. */
  function requirement(claim: PersistentVolumeClaim) {
    const name = claim.metadata.annotations?.[SELECTED_NODE];
    if (!driver.topology || !name) return undefined;
    const keys = csiNodes.lister.get(name)?.spec.drivers?.find((d) => d.name === driver.name)?.topologyKeys ?? [];
    const node: Node | undefined = nodes.lister.get(name);
    const segments = Object.fromEntries(keys.map((key) => [key, node?.metadata.labels?.[key] ?? '']));
    return { requisite: [{ segments }], preferred: [{ segments }] };
  }

  async function provision(claim: PersistentVolumeClaim, cls: StorageClass, signal: AbortSignal): Promise<void> {
    const { uid, namespace, name, resourceVersion } = claim.metadata;
    const { fsType = config.defaultFsType, own } = driverParameters(cls.parameters);
    if (claim.spec?.dataSource ?? claim.spec?.dataSourceRef) throw new TerminalError('claims with a data source are not supported');
    if (claim.spec?.selector) throw new TerminalError('claim Selector is not supported');
    const volumeName = `${config.volumeNamePrefix}-${uid}`;
    const block = claim.spec?.volumeMode === 'Block';
    const accessModes = claim.spec?.accessModes ?? [];
    const use = { accessModes, block, fsType: block ? '' : fsType, mountFlags: cls.mountOptions ?? [] };
    const requiredBytes = BigInt(Math.ceil(quantityValue(claim.spec?.resources?.requests?.storage ?? '0')));
    const limit = claim.spec?.resources?.limits?.storage;
    events(claim as KubeObject, 'Normal', 'Provisioning', `External provisioner is provisioning volume for claim "${claimKey(claim)}"`);
    const topology = requirement(claim);
    const { volume } = await controller.createVolume(
      {
        name: volumeName,
        capacityRange: { requiredBytes, ...(limit && { limitBytes: BigInt(Math.floor(quantityValue(limit))) }) },
        volumeCapabilities: capabilitiesOf(use, driver.capabilities),
        parameters: own,
        ...(topology && { accessibilityRequirements: topology }),
      },
      { signal },
    );
    if (!volume) throw new Error('the driver answered CreateVolume without a volume');
    const bytes = volume.capacityBytes > 0n ? volume.capacityBytes : requiredBytes;
    const pv: PersistentVolume = {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: volumeName, annotations: { [PROVISIONED_BY]: driver.name }, finalizers: cls.reclaimPolicy === 'Retain' ? [] : [FINALIZER] },
      spec: {
        capacity: { storage: quantityText(bytes) },
        accessModes,
        persistentVolumeReclaimPolicy: cls.reclaimPolicy ?? 'Delete',
        storageClassName: cls.metadata.name ?? '',
        volumeMode: block ? 'Block' : 'Filesystem',
        ...(cls.mountOptions?.length && { mountOptions: cls.mountOptions }),
        csi: {
          driver: driver.name,
          volumeHandle: volume.volumeId,
          ...(use.fsType && { fsType: use.fsType }),
          ...(Object.keys(volume.volumeContext).length > 0 && { volumeAttributes: volume.volumeContext }),
        },
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid, resourceVersion },
        ...affinity(volume),
      },
    } as PersistentVolume;
    // Also for a claim that went meanwhile: the volume is then released, and deleted like any other.
    try {
      await client.api.persistentVolumes().create(pv, { signal });
    } catch (error) {
      if (!isAlreadyExists(error)) throw error;
    }
    events(claim as KubeObject, 'Normal', 'ProvisioningSucceeded', `Successfully provisioned volume ${volumeName}`);
  }

  /** No room where the pod was placed: let the scheduler choose again. */
  async function reschedule(claim: PersistentVolumeClaim, signal: AbortSignal): Promise<void> {
    const { namespace, name = '', resourceVersion } = claim.metadata;
    if (!claim.metadata.annotations?.[SELECTED_NODE]) return;
    const metadata = { resourceVersion, annotations: { [SELECTED_NODE]: null } };
    await client.api.persistentVolumeClaims(namespace).patch(name, 'merge', { metadata }, { signal });
  }

  async function syncClaim(claim: PersistentVolumeClaim, signal: AbortSignal): Promise<void> {
    const cls = wants(claim);
    if (!cls) return;
    try {
      await provision(claim, cls, signal);
    } catch (error) {
      signal.throwIfAborted();
      const message = `failed to provision volume with StorageClass "${cls.metadata.name}": ${text(error)}`;
      events(claim as KubeObject, 'Warning', 'ProvisioningFailed', message);
      if (isRpcError(error, 'resourceExhausted')) await reschedule(claim, signal);
      throw error;
    }
  }

  async function syncVolume(pv: PersistentVolume, signal: AbortSignal): Promise<void> {
    const name = pv.metadata.name ?? '';
    if (!isOurs(pv) || pv.spec?.persistentVolumeReclaimPolicy !== 'Delete') return;
    const released = pv.status?.phase === 'Released' || pv.status?.phase === 'Failed';
    // Deleted by hand while nobody has it.
    const orphaned = pv.metadata.deletionTimestamp && pv.metadata.finalizers?.includes(FINALIZER) && pv.status?.phase !== 'Bound';
    if (!released && !orphaned) return;
    const attached = attachments.lister.list().find((a) => a.spec.source.persistentVolumeName === name);
    try {
      if (attached) throw new Error(`persistentvolume ${name} is still attached to node ${attached.spec.nodeName}`);
      await controller.deleteVolume({ volumeId: pv.spec?.csi?.volumeHandle ?? '' }, { signal });
    } catch (error) {
      signal.throwIfAborted();
      events(pv as KubeObject, 'Warning', 'VolumeFailedDelete', text(error));
      throw error;
    }
    const api = client.api.persistentVolumes();
    try {
      const fresh = await api.get(name, { signal });
      const finalizers = (fresh.metadata.finalizers ?? []).filter((f) => f !== FINALIZER);
      await api.patch(name, 'merge', { metadata: { finalizers, resourceVersion: fresh.metadata.resourceVersion } }, { signal });
      if (!pv.metadata.deletionTimestamp) await api.delete(name, { signal });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }

  return {
    name: 'csi-provisioner',
    backoff: { baseMs: 1000, maxMs: 300_000 },
    watch(queue) {
      const ofClaim = (c: PersistentVolumeClaim) => wants(c) && queue.add(PVC + claimKey(c));
      const ofVolume = (pv: PersistentVolume) => isOurs(pv) && queue.add(PV + (pv.metadata.name ?? ''));
      const undo = [
        claims.addHandler({ add: ofClaim, update: (_old, c) => ofClaim(c) }),
        volumes.addHandler({ add: ofVolume, update: (_old, pv) => ofVolume(pv) }),
        attachments.addHandler({ delete: (a) => a.spec.source.persistentVolumeName && queue.add(PV + a.spec.source.persistentVolumeName) }),
        classes.addHandler({ add: () => claims.lister.list().forEach(ofClaim) }),
      ];
      return () => undo.forEach((f) => f());
    },
    async reconcile(key, signal) {
      if (key.startsWith(PV)) {
        const pv = volumes.lister.get(key.slice(PV.length));
        if (pv) await syncVolume(pv, signal);
      } else {
        const { namespace, name } = splitKey(key.slice(PVC.length));
        const claim = claims.lister.get(name, namespace);
        if (claim) await syncClaim(claim, signal);
      }
      return undefined;
    },
  };
}

function affinity({ accessibleTopology }: Volume) {
  if (accessibleTopology.length === 0) return {};
  const nodeSelectorTerms = accessibleTopology.map(({ segments }) => ({
    matchExpressions: Object.entries(segments).map(([key, value]) => ({ key, operator: 'In', values: [value] })),
  }));
  return { nodeAffinity: { required: { nodeSelectorTerms } } };
}

/** Bytes with the largest binary unit that says it exactly, as people wrote it. */
export function quantityText(bytes: bigint): string {
  for (const [unit, size] of [
    ['Ti', 1n << 40n],
    ['Gi', 1n << 30n],
    ['Mi', 1n << 20n],
    ['Ki', 1n << 10n],
  ] as const)
    if (bytes > 0n && bytes % size === 0n) return `${bytes / size}${unit}`;
  return String(bytes);
}

/** A driver's error as gRPC shows it. */
export function text(error: unknown): string {
  return isRpcError(error) ? `rpc error: code = ${error.code[0]?.toUpperCase()}${error.code.slice(1)} desc = ${error.message}` : (error as Error).message;
}
