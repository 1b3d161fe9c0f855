import type { Readable } from 'node:stream';
import { pullFailure, semaphore } from '@coxswain/cri-runtime';
import {
  archivedContent,
  chainIds,
  choosePlatform,
  type Descriptor,
  type Digest,
  formatReference,
  hostPlatform,
  isLayer,
  MAX_CONFIG_BYTES,
  MAX_MANIFEST_BYTES,
  OciError,
  openImageArchive,
  parseConfiguration,
  parseManifest,
  readLimited,
  type RegistryAuth,
  RegistryClient,
  type RegistryOptions,
  repositoryOf,
} from '@coxswain/oci';
import type { Clock } from '@coxswain/sdk';
import type { ImageStore } from './image-store.js';

export interface PullerOptions {
  readonly store: ImageStore;
  readonly clock: Clock;
  readonly registry?: Pick<RegistryOptions, 'mirrors' | 'insecureHosts' | 'attempts' | 'fetch'>;
  /** Layers fetched at once. Default 3. */
  readonly parallelLayers?: number;
}

/** Pulls images from OCI registries into our stores: layers are fetched side by side and unpacked in order. */
export class Puller {
  constructor(private readonly options: PullerOptions) {}

  /** Returns the image id. */
  async pull(image: string, auth: RegistryAuth | undefined, signal: AbortSignal): Promise<string> {
    try {
      return await this.options.store.keeping(() => this.#pull(image, auth, signal));
    } catch (error) {
      throw pullFailure(image, error);
    }
  }

  async #pull(image: string, auth: RegistryAuth | undefined, signal: AbortSignal): Promise<string> {
    const { store, clock, registry } = this.options;
    const { content } = store;
    const client = new RegistryClient({ ...registry, ...(auth ? { auth } : {}), clock });
    const resolved = await client.resolve(image, signal);
    const { reference, manifest, config } = resolved;
    const aborted = new AbortController();
    const both = AbortSignal.any([signal, aborted.signal]);
    try {
      await unpackAll(store, manifest.layers, config.rootfs.diff_ids, this.options.parallelLayers ?? 3, (layer) =>
        content.write(layer, () => client.blob(reference, layer, both)),
      );
    } catch (error) {
      aborted.abort(error);
      throw error;
    }
    const put = (descriptor: Descriptor, bytes: Uint8Array) => content.write(descriptor, () => single(bytes));
    await put(manifest.config, resolved.configBytes);
    await put(resolved.manifestDescriptor, resolved.manifestBytes);
    if (resolved.index) await put(resolved.index.descriptor, resolved.index.bytes);
    await store.name(
      [...(reference.digest === undefined ? [formatReference(reference)] : []), `${repositoryOf(reference)}@${resolved.target.digest}`],
      resolved.target,
    );
    return manifest.config.digest;
  }
}

export interface ImportOptions {
  /** Names for an archive that holds one image without a name (or instead of its own). */
  readonly names?: readonly string[];
  /** Keep the kubelet's image garbage collection from removing them. */
  readonly pinned?: boolean;
}

/** Load an image archive (OCI layout or `docker save`, plain or gzip). Returns the names it can be run by. */
export async function importArchive(store: ImageStore, tar: Readable | AsyncIterable<Uint8Array>, options: ImportOptions = {}): Promise<string[]> {
  const archive = await openImageArchive(tar);
  try {
    return await store.keeping(async () => {
      const out: string[] = [];
      for (const { target, names } of archive.images) {
        const read = (d: Descriptor, limit: number) => readLimited(archive.read(d.digest), limit, d.digest);
        const top = parseManifest(await read(target, MAX_MANIFEST_BYTES), target.mediaType);
        const chosen = top.kind === 'index' ? choosePlatform(top.index, hostPlatform()) : target;
        const doc = top.kind === 'index' ? parseManifest(await read(chosen, MAX_MANIFEST_BYTES), chosen.mediaType) : top;
        if (doc.kind !== 'manifest') throw new OciError('unsupported', 'an image index that points at an index is not supported');
        const config = parseConfiguration(await read(doc.manifest.config, MAX_CONFIG_BYTES));
        await unpackAll(store, doc.manifest.layers, config.rootfs.diff_ids, 1, (layer) => store.content.write(layer, () => archive.read(layer.digest)));
        for (const blob of await archivedContent(archive, target)) {
          if (!isLayer(blob.mediaType)) await store.content.write(blob, () => archive.read(blob.digest));
        }
        const given = options.names && archive.images.length === 1 ? options.names : names;
        // A name is needed to keep it.
        const all = given.length > 0 ? given : [`docker.io/library/import@${target.digest}`];
        await store.name(all, target, options.pinned);
        out.push(...all);
      }
      return out;
    });
  } finally {
    await archive.close();
  }
}

/** Fetch the missing layers, some at once, and unpack each as soon as those below it are; their blobs are not kept. */
async function unpackAll(
  store: ImageStore,
  all: readonly Descriptor[],
  diffIds: readonly Digest[],
  parallel: number,
  fetch: (layer: Descriptor) => Promise<void>,
) {
  const layers = all.filter((l) => isLayer(l.mediaType));
  if (layers.length !== diffIds.length) throw new OciError('invalid', `the image has ${layers.length} layers but ${diffIds.length} diff ids`);
  const limit = semaphore(parallel);
  const fetched = new Map<Digest, Promise<void>>();
  const present = await Promise.all(diffIds.map((_, i) => store.layers.has(chainAt(diffIds, i))));
  layers.forEach((layer, i) => {
    if (present[i] || fetched.has(layer.digest)) return;
    const done = limit(() => fetch(layer));
    done.catch(() => {});
    fetched.set(layer.digest, done);
  });
  for (const [i, layer] of layers.entries()) {
    await store.layers.unpack(diffIds, i, async () => {
      await (fetched.get(layer.digest) ?? fetch(layer));
      return store.content.stream(layer.digest);
    });
  }
}

const chainAt = (diffIds: readonly Digest[], index: number) => chainIds(diffIds.slice(0, index + 1)).at(-1) as Digest;

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
