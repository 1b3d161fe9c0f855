import type { Readable } from 'node:stream';
import {
  archivedContent,
  choosePlatform,
  type Descriptor,
  hostPlatform,
  isIndex,
  isLayer,
  isManifest,
  OciError,
  openImageArchive,
  parseConfiguration,
  parseManifest,
  type ImageArchive,
  readLimited,
  MAX_CONFIG_BYTES,
  MAX_MANIFEST_BYTES,
} from '@coxswain/oci';
import { type Clock, type Random, systemClock, systemRandom } from '@coxswain/sdk';
import { type Containerd, connectContainerd } from '../containerd/client.js';
import { ImageStore } from './image-store.js';
import { configGcLabels, indexGcLabels, manifestGcLabels, PINNED_LABEL } from './labels.js';
import { withLease } from './lease.js';
import { Unpacker } from './unpack.js';

export interface ImportOptions {
  readonly snapshotter?: string;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Names for an archive that holds one image without a name (or instead of its own). */
  readonly names?: readonly string[];
  /** Keep the kubelet's image garbage collection from removing them. */
  readonly pinned?: boolean;
}

/** Load an image archive (OCI layout or `docker save`, plain or gzip) into containerd and unpack it. Returns the names it can be run by. `target` is a socket or a connection. */
export async function importImage(target: string | Containerd, tar: Readable | AsyncIterable<Uint8Array>, options: ImportOptions = {}): Promise<string[]> {
  const containerd = typeof target === 'string' ? connectContainerd({ socket: target }) : target;
  const { snapshotter = 'overlayfs', clock = systemClock, random = systemRandom } = options;
  const archive = await openImageArchive(tar);
  try {
    const store = new ImageStore(containerd);
    const unpacker = new Unpacker(containerd, snapshotter, random);
    const out: string[] = [];
    for (const image of archive.images) {
      const names = options.names && archive.images.length === 1 ? options.names : image.names;
      out.push(
        ...(await withLease(containerd, { clock, random }, (lease) =>
          importOne(archive, image.target, names)(lease, store, unpacker, snapshotter, options.pinned ?? false),
        )),
      );
    }
    return out;
  } finally {
    await archive.close();
    if (typeof target === 'string') containerd.close();
  }
}

function importOne(archive: ImageArchive, target: Descriptor, names: readonly string[]) {
  return async (lease: string, store: ImageStore, unpacker: Unpacker, snapshotter: string, pinned: boolean): Promise<readonly string[]> => {
    const json = (d: Descriptor, limit = MAX_MANIFEST_BYTES) => readLimited(archive.read(d.digest), limit, d.digest);
    const top = parseManifest(await json(target), target.mediaType);
    const manifestDescriptor = top.kind === 'index' ? choosePlatform(top.index, hostPlatform()) : target;
    const doc = top.kind === 'index' ? parseManifest(await json(manifestDescriptor), manifestDescriptor.mediaType) : top;
    if (doc.kind !== 'manifest') throw new OciError('unsupported', 'an image index that points at an index is not supported');
    const configBytes = await json(doc.manifest.config, MAX_CONFIG_BYTES);
    const config = parseConfiguration(configBytes);
    const layers = doc.manifest.layers.filter((l) => isLayer(l.mediaType));
    for (const content of await archivedContent(archive, target)) {
      let labels: Record<string, string> = {};
      if (content.digest === doc.manifest.config.digest) labels = configGcLabels(config, snapshotter);
      else if (isManifest(content.mediaType) || isIndex(content.mediaType)) {
        const parsed = parseManifest(await json(content), content.mediaType);
        labels = parsed.kind === 'manifest' ? manifestGcLabels(parsed.manifest) : indexGcLabels(parsed.index, (d) => archive.has(d.digest));
      }
      await store.content.write(content, archive.read(content.digest), { lease, labels });
    }
    await unpacker.unpack(layers, config, lease, async () => {});
    const id = doc.manifest.config.digest;
    // A name is needed to keep it; upstream's importer makes one up too.
    const all = names.length > 0 ? names : [`docker.io/library/import@${target.digest}`];
    for (const name of all) await store.name(name, target, id, pinned ? { [PINNED_LABEL]: 'pinned' } : {});
    return all;
  };
}
