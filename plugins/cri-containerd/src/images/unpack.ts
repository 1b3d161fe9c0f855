import { isRpcError } from '@coxswain/cri';
import { chainIds, type Descriptor, type ImageConfiguration, OciError } from '@coxswain/oci';
import type { Random } from '@coxswain/sdk';
import { type Containerd, underLease } from '../containerd/client.js';

/** Applies layers to snapshots with containerd's differ; layers that are unpacked already are passed over. */
export class Unpacker {
  readonly #running = new Map<string, Promise<void>>();

  constructor(
    private readonly containerd: Containerd,
    private readonly snapshotter: string,
    private readonly random: Pick<Random, 'uuid'>,
  ) {}

  /** Returns the top layer's chain id: the parent of the image's containers. `ready` is awaited before a layer is applied. */
  async unpack(layers: readonly Descriptor[], config: ImageConfiguration, lease: string, ready: (layer: Descriptor) => Promise<void>): Promise<string> {
    const diffIds = config.rootfs.diff_ids;
    const contentLayers = layers;
    if (contentLayers.length !== diffIds.length) throw new OciError('invalid', `the image has ${contentLayers.length} layers but ${diffIds.length} diff ids`);
    const chain = chainIds(diffIds);
    for (const [i, id] of chain.entries()) {
      const layer = contentLayers[i] as Descriptor;
      // Two images that share layers are unpacked at the same time: one does the work.
      const running =
        this.#running.get(id) ?? this.#apply(id, chain[i - 1] ?? '', layer, diffIds[i] as string, lease, ready).finally(() => this.#running.delete(id));
      this.#running.set(id, running);
      await running;
      await this.containerd.leases.addResource({ id: lease, resource: { id, type: `snapshots/${this.snapshotter}` } });
    }
    return chain.at(-1) ?? '';
  }

  async exists(chainId: string): Promise<boolean> {
    try {
      await this.containerd.snapshots.stat({ snapshotter: this.snapshotter, key: chainId });
      return true;
    } catch (error) {
      if (isRpcError(error, 'notFound')) return false;
      throw error;
    }
  }

  async #apply(chainId: string, parent: string, layer: Descriptor, diffId: string, lease: string, ready: (layer: Descriptor) => Promise<void>): Promise<void> {
    if (await this.exists(chainId)) return;
    await ready(layer);
    const { snapshotter } = this;
    const key = `extract-${this.random.uuid()} ${chainId}`;
    const { mounts } = await this.containerd.snapshots.prepare({ snapshotter, key, parent, labels: {} }, underLease(lease));
    try {
      const { applied } = await this.containerd.diff.apply(
        { diff: { mediaType: layer.mediaType, digest: layer.digest, size: BigInt(layer.size), annotations: {} }, mounts },
        { ...underLease(lease), timeoutMs: 0 },
      );
      if (applied?.digest !== diffId)
        throw new OciError('digest-mismatch', `layer ${layer.digest} unpacks to ${applied?.digest}, but the image says ${diffId}`);
      await this.containerd.snapshots.commit({ snapshotter, name: chainId, key, labels: {} }, underLease(lease));
    } catch (error) {
      await this.containerd.snapshots.remove({ snapshotter, key }).catch(() => {});
      if (!isRpcError(error, 'alreadyExists')) throw error;
    }
  }
}
