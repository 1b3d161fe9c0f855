import {
  type CallContext,
  CriError,
  type ImageFilesystemFacts,
  imageFilesystems,
  imageOwner,
  type ImageService,
  type ImageStatusRequest,
  type ListImagesRequest,
  type PullImageRequest,
  type RemoveImageRequest,
} from '@coxswain/cri';
import type { RegistryAuth } from '@coxswain/oci';
import type { Clock } from '@coxswain/sdk';
import type { RuntimeImage } from '../container/container-driver.js';

/** An image with all names that it is known by. */
export interface StoredImage extends RuntimeImage {
  readonly tags: readonly string[];
  readonly size: number;
  readonly pinned: boolean;
}

export interface StoredImagesDeps<Image extends StoredImage> {
  readonly store: {
    list(): Promise<readonly Image[]>;
    find(reference: string): Promise<Image | undefined>;
    remove(reference: string): Promise<void>;
  };
  /** Answers what the image is run by. */
  readonly pull: (reference: string, credentials: RegistryAuth | undefined, signal: AbortSignal) => Promise<string>;
  readonly clock: Clock;
  /** On the file system of the images. */
  readonly folder: () => Promise<string>;
  /** What is stored takes. */
  readonly usage: () => Promise<Pick<ImageFilesystemFacts, 'images' | 'containers'>>;
  /** For who asks for more about an image. */
  readonly info: (image: Image) => Readonly<Record<string, unknown>>;
  /** After a removal, or a pull whether it went well or not: free what nobody uses. */
  readonly collectGarbage?: () => Promise<void>;
}

/** CRI's ImageService over a store of images. */
export class StoredImages<Image extends StoredImage> implements ImageService {
  constructor(private readonly deps: StoredImagesDeps<Image>) {}

  async listImages(request: Pick<ListImagesRequest, 'filter'>) {
    const wanted = request.filter?.image?.image;
    if (!wanted) return { images: (await this.deps.store.list()).map(toCri) };
    const image = await this.deps.store.find(wanted);
    return { images: image ? [toCri(image)] : [] };
  }

  async *streamImages(request: Pick<ListImagesRequest, 'filter'>) {
    yield await this.listImages(request);
  }

  async imageStatus(request: ImageStatusRequest) {
    const image = await this.deps.store.find(request.image?.image ?? '');
    if (!image) return {};
    const info: Record<string, string> = request.verbose ? { info: JSON.stringify(this.deps.info(image)) } : {};
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
      return { imageRef: await this.deps.pull(image, credentials, context.signal) };
    } finally {
      await this.deps.collectGarbage?.();
    }
  }

  async removeImage(request: RemoveImageRequest) {
    await this.deps.store.remove(request.image?.image ?? '');
    await this.deps.collectGarbage?.();
    return {};
  }

  async imageFsInfo() {
    const mountpoint = await this.deps.folder();
    return imageFilesystems({ now: this.deps.clock.now(), mountpoint, ...(await this.deps.usage()) });
  }
}

const toCri = ({ id, tags, digests, size, pinned, config }: StoredImage) => ({
  id,
  repoTags: [...tags],
  repoDigests: [...digests],
  size: BigInt(size),
  pinned,
  ...imageOwner(config.config?.User),
});
