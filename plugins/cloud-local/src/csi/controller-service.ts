import { type ControllerService, ControllerServiceCapability_RPC_Type as Capability, CsiError } from '@coxswain/csi';
import { type CloudVolume, type CloudVolumes, OutOfCapacityError, VolumeConflictError, VolumeInUseError, VolumeNotFoundError } from '@coxswain/sdk';
import { checkCapability, refusal, required } from './csi-capabilities.js';

const DEFAULT_BYTES = 1024 ** 3;

const OFFERED = [
  Capability.CREATE_DELETE_VOLUME,
  Capability.PUBLISH_UNPUBLISH_VOLUME,
  Capability.LIST_VOLUMES,
  Capability.LIST_VOLUMES_PUBLISHED_NODES,
  Capability.EXPAND_VOLUME,
  Capability.SINGLE_NODE_MULTI_WRITER,
];

/** The controller side of CSI on the volumes of a cloud. A node's id is the name of its instance. */
export function controllerService(volumes: CloudVolumes, instanceExists: (name: string) => Promise<boolean>): ControllerService {
  const signalOf = (context: { signal: AbortSignal }) => context.signal;
  return {
    async controllerGetCapabilities() {
      return { capabilities: OFFERED.map((type) => ({ type: { case: 'rpc' as const, value: { type } } })) };
    },
    async createVolume({ name, capacityRange, volumeCapabilities, parameters, volumeContentSource }, context) {
      required(name, 'name');
      if (volumeCapabilities.length === 0) throw new CsiError('invalidArgument', 'volume_capabilities is required');
      volumeCapabilities.forEach(checkCapability);
      if (volumeContentSource) throw new CsiError('invalidArgument', 'volume_content_source is not supported');
      const unknown = Object.keys(parameters);
      if (unknown.length > 0) throw new CsiError('invalidArgument', `unknown parameters: ${unknown.join(', ')}; this driver has none`);
      const wanted = Number(capacityRange?.requiredBytes ?? 0n) || DEFAULT_BYTES;
      const limit = Number(capacityRange?.limitBytes ?? 0n);
      if (limit > 0 && wanted > limit) throw new CsiError('outOfRange', `required_bytes ${wanted} are more than limit_bytes ${limit}`);
      const volume = await answer(volumes.create(name, wanted, signalOf(context)));
      if (limit > 0 && volume.sizeBytes > limit) throw new CsiError('alreadyExists', `volume ${name} has ${volume.sizeBytes} bytes, more than ${limit}`);
      return { volume: { volumeId: volume.id, capacityBytes: BigInt(volume.sizeBytes) } };
    },
    async deleteVolume({ volumeId }, context) {
      await answer(volumes.delete(required(volumeId, 'volume_id'), signalOf(context)));
      return {};
    },
    async controllerPublishVolume({ volumeId, nodeId, volumeCapability, readonly }, context) {
      required(volumeId, 'volume_id');
      required(nodeId, 'node_id');
      checkCapability(volumeCapability);
      if (readonly) throw new CsiError('invalidArgument', 'readonly attachments are not supported');
      if (!(await volumes.get(volumeId, signalOf(context)))) throw new CsiError('notFound', `volume ${volumeId} does not exist`);
      if (!(await instanceExists(nodeId))) throw new CsiError('notFound', `node ${nodeId} does not exist`);
      return { publishContext: { devicePath: await answer(volumes.attach(volumeId, nodeId, signalOf(context))) } };
    },
    async controllerUnpublishVolume({ volumeId, nodeId }, context) {
      const volume = await volumes.get(required(volumeId, 'volume_id'), signalOf(context));
      if (volume?.attachedTo) await answer(volumes.detach(volumeId, nodeId || volume.attachedTo, signalOf(context)));
      return {};
    },
    async validateVolumeCapabilities({ volumeId, volumeCapabilities, volumeContext, parameters }, context) {
      required(volumeId, 'volume_id');
      if (volumeCapabilities.length === 0) throw new CsiError('invalidArgument', 'volume_capabilities is required');
      if (!(await volumes.get(volumeId, signalOf(context)))) throw new CsiError('notFound', `volume ${volumeId} does not exist`);
      const message = volumeCapabilities.map(refusal).find((why) => why !== undefined);
      return message === undefined ? { confirmed: { volumeCapabilities, volumeContext, parameters } } : { message };
    },
    async listVolumes({ maxEntries, startingToken }, context) {
      const all = await volumes.list(signalOf(context));
      const from = startingToken === '' ? 0 : Number(startingToken);
      if (!Number.isInteger(from) || from < 0 || from > all.length) throw new CsiError('aborted', `starting_token ${startingToken} is not valid`);
      const to = maxEntries > 0 ? Math.min(all.length, from + maxEntries) : all.length;
      return { entries: all.slice(from, to).map(entry), nextToken: to < all.length ? String(to) : '' };
    },
    async controllerExpandVolume({ volumeId, capacityRange }, context) {
      const wanted = Number(capacityRange?.requiredBytes ?? 0n);
      if (wanted <= 0) throw new CsiError('invalidArgument', 'capacity_range.required_bytes is required');
      const capacityBytes = await answer(volumes.expand(required(volumeId, 'volume_id'), wanted, signalOf(context)));
      return { capacityBytes: BigInt(capacityBytes), nodeExpansionRequired: true };
    },
  };
}

const entry = (volume: CloudVolume) => ({
  volume: { volumeId: volume.id, capacityBytes: BigInt(volume.sizeBytes) },
  status: { publishedNodeIds: volume.attachedTo ? [volume.attachedTo] : [] },
});

/** The cloud's errors as the codes CSI has for them. */
async function answer<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof VolumeNotFoundError) throw new CsiError('notFound', message);
    if (error instanceof VolumeInUseError) throw new CsiError('failedPrecondition', message);
    if (error instanceof VolumeConflictError) throw new CsiError('alreadyExists', message);
    if (error instanceof OutOfCapacityError) throw new CsiError('resourceExhausted', message);
    throw error;
  }
}
