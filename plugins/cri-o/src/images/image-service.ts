import {
  type CallContext,
  CriError,
  type ImageService,
  type ImageStatusRequest,
  type ListImagesRequest,
  type PullImageRequest,
  type RemoveImageRequest,
} from '@coxswain/cri';
import { diskUsage } from '@coxswain/linux';
import type { RegistryAuth } from '@coxswain/oci';
import type { Clock } from '@coxswain/sdk';
import type { ImageStore, StoredImage } from './image-store.js';
import type { Puller } from './pull.js';

export interface ImageServiceDeps {
  readonly store: ImageStore;
  readonly puller: Puller;
  readonly clock: Clock;
  /** The images' folder. */
  readonly root: string;
  /** Free what the removed image alone used. */
  readonly collectGarbage: () => Promise<void>;
}

/** CRI's ImageService over our own stores. */
export class CrioImageService implements ImageService {
  constructor(private readonly deps: ImageServiceDeps) {}

  async listImages(request: ListImagesRequest) {
    const wanted = request.filter?.image?.image;
    if (!wanted) return { images: (await this.deps.store.list()).map(toCri) };
    const image = await this.deps.store.find(wanted);
    return { images: image ? [toCri(image)] : [] };
  }

  async *streamImages(request: { filter?: ListImagesRequest['filter'] }) {
    yield await this.listImages(request as ListImagesRequest);
  }

  async imageStatus(request: ImageStatusRequest) {
    const image = await this.deps.store.find(request.image?.image ?? '');
    if (!image) return {};
    const info: Record<string, string> = request.verbose ? { info: JSON.stringify({ imageSpec: image.config }) } : {};
    return { image: toCri(image), info };
  }

  async pullImage(request: PullImageRequest, context: CallContext) {
    const image = request.image?.image;
    if (!image) throw new CriError('invalidArgument', 'no image was named');
    const { auth } = request;
    const credentials: RegistryAuth | undefined = auth
      ? { username: auth.username, password: auth.password, auth: auth.auth, identityToken: auth.identityToken, registryToken: auth.registryToken }
      : undefined;
    try {
      return { imageRef: await this.deps.puller.pull(image, credentials, context.signal) };
    } finally {
      // Layers' blobs, and all of a pull that failed.
      await this.deps.collectGarbage();
    }
  }

  async removeImage(request: RemoveImageRequest) {
    await this.deps.store.remove(request.image?.image ?? '');
    await this.deps.collectGarbage();
    return {};
  }

  async imageFsInfo() {
    const { clock, root } = this.deps;
    const usage = await diskUsage(root);
    const filesystem = {
      timestamp: BigInt(clock.now()) * 1_000_000n,
      fsId: { mountpoint: root },
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
