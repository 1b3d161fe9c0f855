import { pullFailure, semaphore } from '@coxswain/cri-runtime';
import { type Descriptor, formatReference, isLayer, RegistryClient, type RegistryAuth, type RegistryOptions, repositoryOf } from '@coxswain/oci';
import type { Clock, Random } from '@coxswain/sdk';
import type { Containerd } from '../containerd/client.js';
import type { ImageStore } from './image-store.js';
import { configGcLabels, indexGcLabels, manifestGcLabels } from './labels.js';
import { withLease } from './lease.js';
import type { Unpacker } from './unpack.js';

export interface PullerOptions {
  readonly containerd: Containerd;
  readonly store: ImageStore;
  readonly unpacker: Unpacker;
  readonly snapshotter: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly registry?: Pick<RegistryOptions, 'mirrors' | 'insecureHosts' | 'attempts' | 'fetch'>;
  /** Layers fetched at once. Default 3. */
  readonly parallelLayers?: number;
}

/** Pulls images from OCI registries straight into containerd's content store, and unpacks them. */
export class Puller {
  readonly #blobs = new Map<string, Promise<void>>();

  constructor(private readonly options: PullerOptions) {}

  /** Returns the image id. */
  async pull(image: string, auth: RegistryAuth | undefined, signal: AbortSignal): Promise<string> {
    try {
      return await this.#pull(image, auth, signal);
    } catch (error) {
      throw pullFailure(image, error);
    }
  }

  async #pull(image: string, auth: RegistryAuth | undefined, signal: AbortSignal): Promise<string> {
    const { containerd, store, unpacker, snapshotter, clock, random } = this.options;
    const registry = new RegistryClient({ ...this.options.registry, ...(auth ? { auth } : {}), clock });
    const resolved = await registry.resolve(image, signal);
    const { reference, manifest, config } = resolved;
    const id = manifest.config.digest;
    await withLease(containerd, { clock, random }, async (lease) => {
      const limit = semaphore(this.options.parallelLayers ?? 3);
      const layers = manifest.layers.filter((l) => isLayer(l.mediaType));
      const fetched = new Map<string, Promise<void>>();
      const aborted = new AbortController();
      const both = AbortSignal.any([signal, aborted.signal]);
      for (const layer of layers) {
        if (fetched.has(layer.digest)) continue;
        const done = limit(() => this.#fetch(layer, () => registry.blob(reference, layer, both), lease, both));
        done.catch(() => {});
        fetched.set(layer.digest, done);
      }
      try {
        await unpacker.unpack(layers, config, lease, (layer) => fetched.get(layer.digest) as Promise<void>);
        await Promise.all(fetched.values());
      } catch (error) {
        aborted.abort(error);
        throw error;
      }
      const put = (descriptor: Descriptor, bytes: Uint8Array, labels: Record<string, string>) =>
        store.content.write(descriptor, single(bytes), { lease, labels });
      await put(manifest.config, resolved.configBytes, configGcLabels(config, snapshotter));
      await put(resolved.manifestDescriptor, resolved.manifestBytes, manifestGcLabels(manifest));
      if (resolved.index) {
        const { digest } = resolved.manifestDescriptor;
        const doc = JSON.parse(Buffer.from(resolved.index.bytes).toString('utf8')) as Parameters<typeof indexGcLabels>[0];
        await put(
          resolved.index.descriptor,
          resolved.index.bytes,
          indexGcLabels(doc, (m) => m.digest === digest),
        );
      }
      if (reference.digest === undefined) await store.name(formatReference(reference), resolved.target, id);
      await store.name(`${repositoryOf(reference)}@${resolved.target.digest}`, resolved.target, id);
    });
    return id;
  }

  /** One download per blob, however many pulls want it. */
  async #fetch(layer: Descriptor, open: () => AsyncIterable<Uint8Array>, lease: string, signal: AbortSignal): Promise<void> {
    const { content } = this.options.store;
    const running = this.#blobs.get(layer.digest);
    if (running) await running.catch(() => {});
    if (await content.has(layer.digest)) return content.adopt(layer.digest, lease);
    const write = content.write(layer, open(), { lease, signal }).finally(() => this.#blobs.delete(layer.digest));
    this.#blobs.set(layer.digest, write);
    await write;
  }
}

async function* single(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
