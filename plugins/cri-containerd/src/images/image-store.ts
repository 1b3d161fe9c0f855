import { CriError, isRpcError } from '@coxswain/cri';
import {
  chainIds,
  formatReference,
  type ImageConfiguration,
  type ImageReference,
  isDigest,
  MAX_CONFIG_BYTES,
  MAX_MANIFEST_BYTES,
  choosePlatform,
  hostPlatform,
  OciError,
  parseConfiguration,
  parseManifest,
  parseReference,
  repositoryOf,
} from '@coxswain/oci';
import type { Containerd } from '../containerd/client.js';
import type { Image as ContainerdImage } from '../generated/containerd/services/images/v1/images_pb.js';
import { ContentStore } from './content-store.js';
import { IMAGE_ID_LABEL, PINNED_LABEL } from './labels.js';

/** What an image is, by the digest of its manifest or index: never changes. */
export interface ImageDetails {
  /** Digest of the configuration: CRI's image id. */
  readonly id: string;
  readonly config: ImageConfiguration;
  /** The unpacked top layer. */
  readonly chainId: string;
  /** Compressed bytes of layers, configuration and manifest. */
  readonly size: number;
}

/** One image with all its names. */
export interface StoredImage extends ImageDetails {
  readonly names: readonly string[];
  readonly tags: readonly string[];
  readonly digests: readonly string[];
  readonly pinned: boolean;
}

const HEX_ID = /^[0-9a-f]{64}$/;

/** The images in containerd's store as CRI sees them. Names are read live; what a digest means is remembered. */
export class ImageStore {
  readonly content: ContentStore;
  readonly #details = new Map<string, ImageDetails>();

  constructor(private readonly containerd: Containerd) {
    this.content = new ContentStore(containerd);
  }

  async list(): Promise<StoredImage[]> {
    const { images } = await this.containerd.images.list({});
    return this.#group(images);
  }

  /** By id (`sha256:…`, with or without the algorithm), tag, digest or short name. Undefined when it is not here. */
  async find(text: string): Promise<StoredImage | undefined> {
    if (text === '') return undefined;
    const id = HEX_ID.test(text) ? `sha256:${text}` : isDigest(text) ? text : undefined;
    if (id !== undefined) return (await this.list()).find((i) => i.id === id);
    let name: string;
    try {
      name = lookupName(parseReference(text));
    } catch (error) {
      if (!(error instanceof OciError)) throw error;
      // A prefix of an id, as crictl shows them.
      return /^[0-9a-f]{6,63}$/.test(text) ? (await this.list()).find((i) => i.id.startsWith(`sha256:${text}`)) : undefined;
    }
    let wanted: ImageDetails;
    try {
      const { image } = await this.containerd.images.get({ name });
      wanted = await this.details(image?.target?.digest ?? '');
    } catch (error) {
      if (isRpcError(error, 'notFound')) return undefined;
      throw error;
    }
    return (await this.list()).find((i) => i.id === wanted.id);
  }

  /** Details without the names: one call the first time, none afterwards. Undefined when not here. */
  async require(text: string): Promise<StoredImage> {
    const image = await this.find(text);
    if (!image) throw new CriError('notFound', `failed to get image ${JSON.stringify(text)}: not found`);
    return image;
  }

  async details(target: string): Promise<ImageDetails> {
    const known = this.#details.get(target);
    if (known) return known;
    const first = await this.content.read(target, MAX_MANIFEST_BYTES);
    let doc = parseManifest(first);
    let extra = first.length;
    if (doc.kind === 'index') {
      const bytes = await this.content.read(choosePlatform(doc.index, hostPlatform()).digest, MAX_MANIFEST_BYTES);
      extra += bytes.length;
      doc = parseManifest(bytes);
    }
    if (doc.kind !== 'manifest') throw new OciError('unsupported', `${target} is an index of indexes`);
    const { manifest } = doc;
    const config = parseConfiguration(await this.content.read(manifest.config.digest, MAX_CONFIG_BYTES));
    const details: ImageDetails = {
      id: manifest.config.digest,
      config,
      chainId: chainIds(config.rootfs.diff_ids).at(-1) ?? '',
      size: manifest.layers.reduce((sum, layer) => sum + layer.size, manifest.config.size + extra),
    };
    this.#details.set(target, details);
    return details;
  }

  remember(target: string, details: ImageDetails): void {
    this.#details.set(target, details);
  }

  /** Give a target a name, moving the name when it had another target. */
  async name(
    name: string,
    target: { mediaType: string; digest: string; size: number },
    id: string,
    labels: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const image = {
      name,
      target: { mediaType: target.mediaType, digest: target.digest, size: BigInt(target.size), annotations: {} },
      labels: { [IMAGE_ID_LABEL]: id, ...labels },
    };
    try {
      await this.containerd.images.create({ image });
    } catch (error) {
      if (!isRpcError(error, 'alreadyExists')) throw error;
      await this.containerd.images.update({ image, updateMask: { paths: ['target', 'labels'] } });
    }
  }

  /** Remove an image with all its names. Nothing to remove is success, also when another caller is faster. */
  async remove(text: string): Promise<void> {
    const image = await this.find(text);
    if (!image) return;
    for (const [i, name] of image.names.entries()) {
      // The last one synchronously: afterwards the space is free.
      await this.containerd.images.delete({ name, sync: i === image.names.length - 1 }).catch((error: unknown) => {
        if (!isRpcError(error, 'notFound')) throw error;
      });
    }
  }

  async #group(images: readonly ContainerdImage[]): Promise<StoredImage[]> {
    const groups = new Map<string, { details: ImageDetails; images: ContainerdImage[] }>();
    const resolved = await Promise.all(
      images.map(async (image) => {
        try {
          return { image, details: await this.details(image.target?.digest ?? '') };
        } catch {
          // Being pulled or removed at this moment, for another platform, or damaged: not an image to CRI.
          return undefined;
        }
      }),
    );
    for (const found of resolved) {
      if (!found) continue;
      const group = groups.get(found.details.id) ?? { details: found.details, images: [] };
      group.images.push(found.image);
      groups.set(found.details.id, group);
    }
    return [...groups.values()].map(({ details, images: members }) => {
      const names = members.map((m) => m.name).sort();
      return {
        ...details,
        names,
        tags: names.filter((n) => !n.includes('@') && !isDigest(n)),
        digests: names.filter((n) => n.includes('@')),
        pinned: members.some((m) => m.labels[PINNED_LABEL] === 'pinned'),
      };
    });
  }
}

/** The name an image is stored under: with a digest, the digest decides. */
export function lookupName(ref: ImageReference): string {
  return ref.digest === undefined ? formatReference(ref) : `${repositoryOf(ref)}@${ref.digest}`;
}
