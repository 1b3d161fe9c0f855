import {
  type CallContext,
  CriError,
  imageFilesystems,
  imageOwner,
  type ImageService,
  type ImageStatusRequest,
  type ListImagesRequest,
  type PullImageRequest,
  type RemoveImageRequest,
} from '@coxswain/cri';
import { KeyedMutex } from '@coxswain/cri-runtime';
import { isDigest, OciError, parseReference } from '@coxswain/oci';
import type { Clock } from '@coxswain/sdk';
import type { Engine } from '../engine/engine.js';
import { ignoring } from '../engine/engine-error.js';
import type { ImageInspect } from '../engine/engine-types.js';
import { isPauseImage } from '../sandbox/pause-image.js';
import { fullName, pullQuery } from './familiar.js';
import { pullProgress } from './pull-progress.js';
import { registryAuth } from './registry-auth.js';

export interface ImageServiceDeps {
  readonly engine: Engine;
  readonly clock: Clock;
  /** The engine's data-root. */
  readonly root: string;
}

/** The engine adds its layers up, which takes a while when they are many. */
const USAGE_FRESH_MS = 30_000;

/** CRI's ImageService over the engine's images. */
export class DockerImageService implements ImageService {
  readonly #removals = new KeyedMutex();
  #usage: { readonly at: number; readonly bytes: Promise<{ images: number; containers: number }> } | undefined;

  constructor(private readonly deps: ImageServiceDeps) {}

  async listImages(request: ListImagesRequest) {
    const wanted = request.filter?.image?.image;
    if (wanted) {
      const image = await this.#find(wanted);
      return { images: image ? [toCri(image)] : [] };
    }
    const ids = new Set((await this.deps.engine.images.list()).map(({ Id }) => Id));
    const images = await Promise.all([...ids].map((id) => this.#find(id)));
    return { images: images.flatMap((image) => (image ? [toCri(image)] : [])) };
  }

  async *streamImages(request: { filter?: ListImagesRequest['filter'] }) {
    yield await this.listImages(request as ListImagesRequest);
  }

  async imageStatus(request: ImageStatusRequest) {
    const image = await this.#find(request.image?.image ?? '');
    if (!image) return {};
    const info: Record<string, string> = request.verbose ? { info: JSON.stringify({ imageSpec: { config: image.Config } }) } : {};
    return { image: toCri(image), info };
  }

  async pullImage(request: PullImageRequest, context: CallContext) {
    const image = request.image?.image;
    if (!image) throw new CriError('invalidArgument', 'no image was named');
    const query = pullQueryOf(image);
    const auth = registryAuth(request.auth, query.fromImage.split('/')[0] ?? '');
    await pullProgress(image, (signal) => this.deps.engine.images.pull(query, auth, signal), this.deps.clock, context.signal);
    this.#usage = undefined;
    const found = await this.#find(image);
    if (!found) throw new CriError('notFound', `image ${JSON.stringify(image)} was not found after it was pulled`);
    return { imageRef: found.Id };
  }

  /** All names of the image go, and with the last the image; containers that stand on it keep it. */
  async removeImage(request: RemoveImageRequest) {
    const image = await this.#find(request.image?.image ?? '');
    // Side by side, the engine would trip over itself.
    if (image) await this.#removals.run(image.Id, () => this.#remove(image.Id));
    return {};
  }

  async #remove(id: string): Promise<void> {
    const image = await this.#find(id);
    if (!image) return;
    const { images } = this.deps.engine;
    const names = [...(image.RepoTags ?? []), ...(image.RepoDigests ?? [])];
    // The engine takes a digest away with the last tag of its repository.
    for (const name of names) await images.remove(name).catch(ignoring(404));
    // 409: containers stand on it.
    await images.remove(image.Id).catch(ignoring(404, 409));
    this.#usage = undefined;
  }

  async imageFsInfo() {
    const { clock, root } = this.deps;
    const { images, containers } = await this.#stored();
    return imageFilesystems({ now: clock.now(), mountpoint: root, images: { size: BigInt(images) }, containers: { size: BigInt(containers) } });
  }

  #stored(): Promise<{ images: number; containers: number }> {
    const { clock, engine } = this.deps;
    const now = clock.monotonic();
    if (!this.#usage || now - this.#usage.at > USAGE_FRESH_MS) {
      const bytes = engine.diskUsage().then(({ LayersSize, Containers }) => ({
        images: LayersSize,
        containers: (Containers ?? []).reduce((sum, { SizeRw }) => sum + (SizeRw ?? 0), 0),
      }));
      this.#usage = { at: now, bytes };
      bytes.catch(() => (this.#usage = undefined));
    }
    return this.#usage.bytes;
  }

  async #find(ref: string): Promise<ImageInspect | undefined> {
    if (ref === '' || (!isDigest(ref) && !/^[0-9a-f]{64}$/.test(ref) && !isReference(ref))) return undefined;
    return this.deps.engine.images.inspect(ref).catch(ignoring(404));
  }
}

function pullQueryOf(image: string): ReturnType<typeof pullQuery> {
  try {
    return pullQuery(image);
  } catch (error) {
    throw new CriError('invalidArgument', `failed to parse image reference ${JSON.stringify(image)}: ${(error as Error).message}`, { cause: error });
  }
}

function isReference(text: string): boolean {
  try {
    parseReference(text);
    return true;
  } catch (error) {
    if (error instanceof OciError) return false;
    throw error;
  }
}

function toCri(image: ImageInspect) {
  const repoTags = (image.RepoTags ?? []).map(fullName);
  const repoDigests = (image.RepoDigests ?? []).map(fullName);
  return { id: image.Id, repoTags, repoDigests, size: BigInt(image.Size), pinned: isPauseImage(repoTags), ...imageOwner(image.Config?.User) };
}
