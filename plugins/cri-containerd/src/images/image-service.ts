import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CallContext,
  CriError,
  type ImageService,
  type ImageStatusRequest,
  type ListImagesRequest,
  type PullImageRequest,
  type RemoveImageRequest,
} from '@coxswain/cri';
import type { RegistryAuth } from '@coxswain/oci';
import { diskUsage } from '@coxswain/linux';
import type { Clock } from '@coxswain/sdk';
import type { ImageStore, StoredImage } from './image-store.js';
import type { Puller } from './pull.js';

export interface ImageServiceDeps {
  readonly store: ImageStore;
  readonly puller: Puller;
  readonly clock: Clock;
  /** containerd's `root`; absent: unknown, file system figures are of `/var/lib/containerd`. */
  readonly containerdRoot: string;
  readonly snapshotter: string;
}

/** CRI's ImageService over containerd's stores. */
export class ContainerdImageService implements ImageService {
  constructor(private readonly deps: ImageServiceDeps) {}

  async listImages(request: ListImagesRequest) {
    const wanted = request.filter?.image?.image;
    if (wanted) {
      const image = await this.deps.store.find(wanted);
      return { images: image ? [toCri(image)] : [] };
    }
    return { images: (await this.deps.store.list()).map(toCri) };
  }

  async *streamImages(request: { filter?: ListImagesRequest['filter'] }) {
    yield await this.listImages(request as ListImagesRequest);
  }

  async imageStatus(request: ImageStatusRequest) {
    const image = await this.deps.store.find(request.image?.image ?? '');
    if (!image) return {};
    const info: Record<string, string> = request.verbose ? { info: JSON.stringify({ chainID: image.chainId, imageSpec: image.config }) } : {};
    return { image: toCri(image), info };
  }

  async pullImage(request: PullImageRequest, context: CallContext) {
    const image = request.image?.image;
    if (!image) throw new CriError('invalidArgument', 'no image was named');
    const { auth } = request;
    const credentials: RegistryAuth | undefined = auth
      ? { username: auth.username, password: auth.password, auth: auth.auth, identityToken: auth.identityToken, registryToken: auth.registryToken }
      : undefined;
    return { imageRef: await this.deps.puller.pull(image, credentials, context.signal) };
  }

  async removeImage(request: RemoveImageRequest) {
    await this.deps.store.remove(request.image?.image ?? '');
    return {};
  }

  async imageFsInfo() {
    const { clock, containerdRoot, snapshotter } = this.deps;
    const mountpoint = join(containerdRoot, `io.containerd.snapshotter.v1.${snapshotter}`);
    const exists = await stat(mountpoint).then(
      () => true,
      () => false,
    );
    const usage = await diskUsage(exists ? mountpoint : containerdRoot);
    const filesystem = {
      timestamp: BigInt(clock.now()) * 1_000_000n,
      fsId: { mountpoint },
      usedBytes: { value: BigInt(usage.usedBytes) },
      inodesUsed: { value: BigInt(usage.totalInodes - usage.freeInodes) },
    };
    return { imageFilesystems: [filesystem], containerFilesystems: [filesystem] };
  }
}

function toCri(image: StoredImage) {
  const user = (image.config.config?.User ?? '').split(':')[0] ?? '';
  // CRI wants a numeric user as uid and any other as username; root when the image names none.
  const numeric = user === '' ? '0' : user;
  const owner = /^\d+$/.test(numeric) ? { uid: { value: BigInt(numeric) } } : { username: user };
  return { id: image.id, repoTags: [...image.tags], repoDigests: [...image.digests], size: BigInt(image.size), pinned: image.pinned, ...owner };
}
