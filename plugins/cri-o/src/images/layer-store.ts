import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { bindMount, fileCalls, mount, umountTarget } from '@coxswain/linux';
import { applyLayer, type ApplyLayerOptions, chainIds, type Digest, OciError } from '@coxswain/oci';

/** The kernel takes a page of mount options. */
const MAX_MOUNT_DATA = 4095;

/** Unpacked layers, each in a folder of its own named after its chain id. A folder is there whole, or not at all. */
export class LayerStore {
  readonly #running = new Map<string, Promise<void>>();
  #serial = 0;

  private constructor(
    readonly root: string,
    private readonly limits: Pick<ApplyLayerOptions, 'maxBytes' | 'maxEntries'>,
  ) {}

  static async open(root: string, limits: Pick<ApplyLayerOptions, 'maxBytes' | 'maxEntries'> = {}): Promise<LayerStore> {
    await mkdir(root, { recursive: true, mode: 0o700 });
    return new LayerStore(root, limits);
  }

  /** Short, so that many fit into one mount's options. */
  path(chainId: Digest): string {
    return join(this.root, layerName(chainId));
  }

  /** Folders of an image, uppermost first. */
  stack(diffIds: readonly Digest[]): string[] {
    return chainIds(diffIds)
      .map((id) => this.path(id))
      .reverse();
  }

  async has(chainId: Digest): Promise<boolean> {
    return (await stat(this.path(chainId)).catch(() => undefined)) !== undefined;
  }

  /** Unpack one layer of a stack; those below must be there. Two callers do the work once. */
  async unpack(diffIds: readonly Digest[], index: number, source: () => Promise<AsyncIterable<Uint8Array>>): Promise<void> {
    const chain = chainIds(diffIds.slice(0, index + 1));
    const chainId = chain.at(-1) as Digest;
    for (;;) {
      if (await this.has(chainId)) return;
      const running = this.#running.get(chainId);
      if (!running) break;
      await running.catch(() => {});
    }
    const work = this.#apply(diffIds, index, chainId, source).finally(() => this.#running.delete(chainId));
    this.#running.set(chainId, work);
    await work;
  }

  /** Folders of the layers that are there. */
  async names(): Promise<string[]> {
    return (await readdir(this.root)).filter((name) => !name.startsWith('tmp-'));
  }

  /** Remove every layer that is not wanted, and what crashed unpackings left. */
  async keepOnly(wanted: ReadonlySet<Digest>): Promise<void> {
    const names = new Set([...wanted].map(layerName));
    for (const name of await readdir(this.root)) if (!names.has(name)) await rm(join(this.root, name), { recursive: true, force: true });
  }

  async #apply(diffIds: readonly Digest[], index: number, chainId: Digest, source: () => Promise<AsyncIterable<Uint8Array>>): Promise<void> {
    const bytes = await source();
    const dir = join(this.root, `tmp-${process.pid}-${++this.#serial}`);
    await rm(dir, { recursive: true, force: true });
    try {
      const { diffId } = await applyLayer(bytes, { dir, lowers: this.stack(diffIds.slice(0, index)), calls: fileCalls, ...this.limits });
      if (diffId !== diffIds[index]) throw new OciError('digest-mismatch', `a layer unpacks to ${diffId}, but the image says ${diffIds[index]}`);
      await rename(dir, this.path(chainId));
    } catch (error) {
      await rm(dir, { recursive: true, force: true });
      // Another process of the same root was faster.
      if (!['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code ?? '') || !(await this.has(chainId))) throw error;
    }
  }
}

const layerName = (chainId: Digest) => (chainId.split(':')[1] as string).slice(0, 20);

export interface OverlayOptions {
  /** Uppermost first. */
  readonly lowers: readonly string[];
  readonly target: string;
  /** Absent: a read-only view. */
  readonly writable?: { readonly upper: string; readonly work: string };
}

/** Mount a stack of layers. A mount that is there already is replaced. */
export async function mountOverlay({ lowers, target, writable }: OverlayOptions): Promise<void> {
  await mkdir(target, { recursive: true, mode: 0o755 });
  await umountTarget(target);
  if (!writable && lowers.length === 1) return bindMount({ source: lowers[0] as string, target, readOnly: true });
  const data = [`lowerdir=${lowers.join(':')}`, ...(writable ? [`upperdir=${writable.upper}`, `workdir=${writable.work}`] : [])].join(',');
  if (Buffer.byteLength(data) > MAX_MOUNT_DATA) throw new OciError('unsupported', `the image has too many layers (${lowers.length}) for one overlay mount`);
  await mount({ type: 'overlay', source: 'overlay', target, data, ...(writable ? {} : { readOnly: true }) });
}
