import { createHash } from 'node:crypto';
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
import type { Clock } from '@coxswain/sdk';
import type { Scripts } from '../script/scripts.js';
import { nameProblem, parseReference } from '../script/image-names.js';

interface SimImage {
  readonly id: string;
  readonly tags: Set<string>;
  readonly digests: Set<string>;
  readonly sizeBytes: number;
  readonly user: string;
}

export interface SimImageDeps {
  readonly clock: Clock;
  readonly scripts: Scripts;
  readonly save: (references: readonly string[]) => void;
  /** Where the images are said to be. */
  readonly mountpoint: string;
}

/** Images that are names only: what is pulled is there, of the size and by the rules of the configuration. */
export class SimImageService implements ImageService {
  readonly #images = new Map<string, SimImage>();

  constructor(private readonly deps: SimImageDeps) {}

  /** Present without a pull. */
  add(reference: string): string {
    const { repository, tag, digest } = parseReference(reference);
    const rule = this.deps.scripts.image(reference);
    const id =
      digest ??
      `sha256:${createHash('sha256')
        .update(rule?.content ?? `${repository}:${tag}`)
        .digest('hex')}`;
    const image = this.#images.get(id) ?? { id, tags: new Set(), digests: new Set(), sizeBytes: rule?.sizeBytes ?? 10 * 1024 * 1024, user: rule?.user ?? '' };
    this.#images.set(id, image);
    if (tag !== undefined) image.tags.add(`${repository}:${tag}`);
    image.digests.add(`${repository}@${id}`);
    return id;
  }

  find(reference: string): SimImage | undefined {
    const direct = this.#images.get(reference);
    if (direct) return direct;
    const { repository, tag, digest } = parseReference(reference);
    for (const image of this.#images.values()) {
      if (tag !== undefined ? image.tags.has(`${repository}:${tag}`) : image.digests.has(`${repository}@${digest}`)) return image;
    }
    return undefined;
  }

  async listImages(request: ListImagesRequest) {
    const wanted = request.filter?.image?.image;
    if (!wanted) return { images: [...this.#images.values()].map(message) };
    const found = this.find(wanted);
    return { images: found ? [message(found)] : [] };
  }

  async imageStatus(request: ImageStatusRequest) {
    const found = this.find(request.image?.image ?? '');
    return found ? { image: message(found) } : {};
  }

  async pullImage(request: PullImageRequest, context: CallContext) {
    const reference = request.image?.image;
    if (!reference) throw new CriError('invalidArgument', 'no image was named');
    const problem = nameProblem(reference);
    if (problem !== undefined) throw new CriError('invalidArgument', `invalid image reference ${JSON.stringify(reference)}: ${problem}`);
    const { afterMs, error } = this.deps.scripts.pull(reference, request.sandboxConfig?.annotations ?? {});
    if (afterMs > 0) await this.deps.clock.sleep(afterMs, context.signal);
    if (error !== undefined) {
      const text = `failed to pull image ${JSON.stringify(reference)}: ${error}`;
      throw new CriError(/not found/.test(error) ? 'notFound' : 'unknown', text);
    }
    const imageRef = this.add(reference);
    this.#save();
    return { imageRef };
  }

  async removeImage(request: RemoveImageRequest) {
    const found = this.find(request.image?.image ?? '');
    if (found) {
      this.#images.delete(found.id);
      this.#save();
    }
    return {};
  }

  async imageFsInfo() {
    const used = [...this.#images.values()].reduce((sum, i) => sum + i.sizeBytes, 0);
    return imageFilesystems({
      now: this.deps.clock.now(),
      mountpoint: this.deps.mountpoint,
      images: { size: BigInt(used), inodes: BigInt(this.#images.size) },
      containers: { size: 0n, inodes: 0n },
    });
  }

  #save(): void {
    this.deps.save([...this.#images.values()].flatMap((i) => (i.tags.size > 0 ? [...i.tags] : [...i.digests])));
  }
}

function message(image: SimImage) {
  return { id: image.id, repoTags: [...image.tags], repoDigests: [...image.digests], size: BigInt(image.sizeBytes), ...imageOwner(image.user) };
}
