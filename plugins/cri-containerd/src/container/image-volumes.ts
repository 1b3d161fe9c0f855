import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isRpcError, type Mount } from '@coxswain/cri';
import { type MappedLayers, type PodUsers, imageVolumeMount } from '@coxswain/cri-runtime';
import { bindMount, mount, umountAll } from '@coxswain/linux';
import type { SpecMount } from '@coxswain/oci';
import type { Containerd } from '../containerd/client.js';
import type { ImageStore } from '../images/image-store.js';
import { duringMapped, type SnapshotMount } from './snapshot-mounts.js';

/** Mounts of whole images (`image` volumes): read-only views of their unpacked layers, mounted under our state folder. */
export class ImageMounts {
  constructor(
    private readonly containerd: Containerd,
    private readonly images: ImageStore,
    private readonly snapshotter: string,
    private readonly dir: string,
    private readonly mappedLayers: MappedLayers,
  ) {}

  async make(containerId: string, mounts: readonly Mount[], users?: PodUsers): Promise<SpecMount[]> {
    const out: SpecMount[] = [];
    for (const [i, wanted] of mounts.filter((m) => m.image?.image).entries()) {
      const image = await this.images.require(wanted.image?.image ?? '');
      const target = join(this.dir, containerId, String(i));
      await mkdir(target, { recursive: true });
      const key = `${containerId}-image-${i}`;
      const view = await this.containerd.snapshots.view({
        snapshotter: this.snapshotter,
        key,
        parent: image.chainId,
        labels: { 'containerd.io/gc.root': String(i) },
      });
      const mountAll = (layers: readonly SnapshotMount[]) => mountView(layers, target);
      await (users ? duringMapped(this.mappedLayers, view.mounts, users, mountAll) : mountAll(view.mounts));
      out.push(await imageVolumeMount(target, wanted));
    }
    return out;
  }

  /** Idempotent. */
  async remove(containerId: string, count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      await umountAll(join(this.dir, containerId, String(i)));
      await this.containerd.snapshots.remove({ snapshotter: this.snapshotter, key: `${containerId}-image-${i}` }).catch((error: unknown) => {
        if (!isRpcError(error, 'notFound')) throw error;
      });
    }
    if (count > 0) await rm(join(this.dir, containerId), { recursive: true, force: true });
  }
}

async function mountView(mounts: readonly SnapshotMount[], target: string): Promise<void> {
  for (const m of mounts) {
    const data = m.options.filter((o) => o !== 'ro' && o !== 'rw' && o !== 'rbind' && o !== 'bind');
    if (m.type === 'bind') await bindMount({ source: m.source, target, readOnly: true });
    else {
      await mount({ type: m.type, source: m.source, target, readOnly: true, ...(data.length > 0 ? { data: data.join(',') } : {}) });
    }
  }
}
