import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CriError } from '@coxswain/cri';
import { KeyedMutex, readJson, type RuntimeImage, writeJson } from '@coxswain/cri-runtime';
import { isAlive, type ProcessIdentity, processIdentity } from '@coxswain/linux';
import {
  chainIds,
  choosePlatform,
  ContentStore,
  type Descriptor,
  type Digest,
  digestOf,
  formatReference,
  hostPlatform,
  isDigest,
  MAX_CONFIG_BYTES,
  MAX_MANIFEST_BYTES,
  OciError,
  parseConfiguration,
  parseManifest,
  parseReference,
  repositoryOf,
} from '@coxswain/oci';
import { LayerStore } from './layer-store.js';

/** One image with all its names. */
export interface StoredImage extends RuntimeImage {
  readonly tags: readonly string[];
  /** Compressed bytes of layers, configuration and manifest. */
  readonly size: number;
  readonly pinned: boolean;
  readonly diffIds: readonly Digest[];
}

/** `names/<hash of the name>.json`: one file a name, so that two processes never overwrite each other's. */
interface NamedTarget {
  readonly name: string;
  readonly target: Descriptor;
  readonly pinned?: boolean;
}

type Details = Pick<StoredImage, 'id' | 'config' | 'size' | 'diffIds'> & { readonly documents: readonly Digest[] };

const HEX_ID = /^[0-9a-f]{64}$/;

/**
 * Images on disk: `names/` gives names to manifests, the content store has the documents, the layer store the unpacked layers.
 * Several processes may share a root (an importer beside the server): names are read again when the folder has changed.
 */
export class ImageStore {
  readonly #details = new Map<string, Details>();
  readonly #mutex = new KeyedMutex();
  #names: ReadonlyMap<string, NamedTarget> = new Map();
  #stamp = '';
  #changes = 0;
  #busy = 0;

  private constructor(
    private readonly root: string,
    readonly content: ContentStore,
    readonly layers: LayerStore,
  ) {}

  static async open(root: string, limits: { readonly maxBytes?: number; readonly maxEntries?: number } = {}): Promise<ImageStore> {
    await Promise.all(['busy', 'names'].map((dir) => mkdir(join(root, dir), { recursive: true, mode: 0o700 })));
    return new ImageStore(root, await ContentStore.open(join(root, 'content')), await LayerStore.open(join(root, 'l'), limits));
  }

  async list(): Promise<StoredImage[]> {
    const groups = new Map<string, { details: Details; names: string[]; pinned: boolean }>();
    for (const { name, target, pinned } of (await this.#load()).values()) {
      const details = await this.#detailsOf(target.digest).catch(() => undefined);
      // Being removed at this moment, or damaged: not an image to CRI.
      if (!details) continue;
      const group = groups.get(details.id) ?? { details, names: [], pinned: false };
      group.names.push(name);
      group.pinned ||= pinned === true;
      groups.set(details.id, group);
    }
    return [...groups.values()].map(({ details, names, pinned }) => ({
      ...details,
      names: names.sort(),
      tags: names.filter((n) => !n.includes('@')),
      digests: names.filter((n) => n.includes('@')),
      pinned,
    }));
  }

  /** By id (`sha256:…`, with or without the algorithm), a prefix of it, tag, digest or short name. Undefined when it is not here. */
  async find(text: string): Promise<StoredImage | undefined> {
    if (text === '') return undefined;
    const images = await this.list();
    const id = HEX_ID.test(text) ? `sha256:${text}` : isDigest(text) ? text : undefined;
    if (id !== undefined) return images.find((i) => i.id === id);
    try {
      const ref = parseReference(text);
      const name = ref.digest === undefined ? formatReference(ref) : `${repositoryOf(ref)}@${ref.digest}`;
      const found = images.find((i) => i.names.includes(name));
      if (found) return found;
    } catch (error) {
      if (!(error instanceof OciError)) throw error;
    }
    return /^[0-9a-f]{6,63}$/.test(text) ? images.find((i) => i.id.startsWith(`sha256:${text}`)) : undefined;
  }

  async require(text: string): Promise<StoredImage> {
    const image = await this.find(text);
    if (!image) throw new CriError('notFound', `failed to get image ${JSON.stringify(text)}: not found`);
    return image;
  }

  /** Give a target names, moving those that had another one. */
  async name(names: readonly string[], target: Descriptor, pinned = false): Promise<void> {
    const { mediaType, digest, size } = target;
    await Promise.all(
      names.map((name) => writeJson(this.#path(name), { name, target: { mediaType, digest, size }, ...(pinned ? { pinned } : {}) } satisfies NamedTarget)),
    );
    this.#changed();
  }

  /** Remove an image with all its names. Nothing to remove is success. */
  async remove(text: string): Promise<void> {
    const image = await this.find(text);
    await Promise.all((image?.names ?? []).map((name) => rm(this.#path(name), { force: true })));
    this.#changed();
  }

  /** While `work` runs, nothing is collected: it makes things that have no name yet. */
  async keeping<T>(work: () => Promise<T>): Promise<T> {
    const file = join(this.root, 'busy', String(process.pid));
    // Not while a collection runs: it must see us first.
    await this.#mutex.run('names', async () => {
      if (this.#busy++ === 0) await writeFile(file, JSON.stringify(processIdentity(process.pid)));
    });
    try {
      return await work();
    } finally {
      if (--this.#busy === 0) await rm(file, { force: true });
    }
  }

  /** Remove content and layers that neither an image nor a container (`inUse`: their images' diff ids) needs. Skipped while images are being made. */
  async collectGarbage(inUse: Iterable<readonly Digest[]>): Promise<void> {
    await this.#mutex.run('names', async () => {
      for (const name of await readdir(join(this.root, 'busy'))) {
        const owner = await readJson<ProcessIdentity>(join(this.root, 'busy', name));
        if (owner && isAlive(owner)) return;
        await rm(join(this.root, 'busy', name), { force: true });
      }
      const documents = new Set<Digest>();
      const layers = new Set<Digest>();
      for (const { target } of (await this.#load()).values()) {
        const details = await this.#detailsOf(target.digest).catch(() => undefined);
        for (const digest of details?.documents ?? []) documents.add(digest);
        for (const id of details ? chainIds(details.diffIds) : []) layers.add(id);
      }
      for (const diffIds of inUse) for (const id of chainIds(diffIds)) layers.add(id);
      for (const digest of await this.content.list()) if (!documents.has(digest)) await this.content.remove(digest);
      await this.layers.keepOnly(layers);
      for (const digest of this.#details.keys()) if (!documents.has(digest)) this.#details.delete(digest);
    });
  }

  async #detailsOf(target: Digest): Promise<Details> {
    const known = this.#details.get(target);
    if (known) return known;
    const documents: Digest[] = [target];
    const first = await this.content.read(target, MAX_MANIFEST_BYTES);
    let doc = parseManifest(first);
    let extra = first.length;
    if (doc.kind === 'index') {
      const { digest } = choosePlatform(doc.index, hostPlatform());
      const bytes = await this.content.read(digest, MAX_MANIFEST_BYTES);
      documents.push(digest);
      extra += bytes.length;
      doc = parseManifest(bytes);
    }
    if (doc.kind !== 'manifest') throw new OciError('unsupported', `${target} is an index of indexes`);
    const { manifest } = doc;
    documents.push(manifest.config.digest);
    const config = parseConfiguration(await this.content.read(manifest.config.digest, MAX_CONFIG_BYTES));
    const size = manifest.layers.reduce((sum, layer) => sum + layer.size, manifest.config.size + extra);
    const details: Details = { id: manifest.config.digest, config, size, diffIds: config.rootfs.diff_ids, documents };
    this.#details.set(target, details);
    return details;
  }

  get #dir(): string {
    return join(this.root, 'names');
  }

  #path(name: string): string {
    return join(this.#dir, `${digestOf(name).split(':')[1]}.json`);
  }

  /** Every change renames a file in or out of the folder, so its time tells; but coarsely, so nothing is remembered while somebody changes names. */
  async #load(): Promise<ReadonlyMap<string, NamedTarget>> {
    const changes = this.#changes;
    const quiet = (await readdir(join(this.root, 'busy'))).length === 0;
    const stamp = String((await stat(this.#dir, { bigint: true })).mtimeNs);
    if (quiet && stamp === this.#stamp) return this.#names;
    const files = (await readdir(this.#dir)).filter((file) => file.endsWith('.json'));
    const entries = await Promise.all(files.map((file) => readJson<NamedTarget>(join(this.#dir, file))));
    const names = new Map(entries.flatMap((entry) => (entry ? [[entry.name, entry] as const] : [])));
    if (quiet && changes === this.#changes) {
      this.#names = names;
      this.#stamp = stamp;
    }
    return names;
  }

  #changed(): void {
    this.#changes++;
    this.#stamp = '';
  }
}
