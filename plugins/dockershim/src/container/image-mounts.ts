import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CriError, type Mount } from '@coxswain/cri';
import { imageVolumeMount } from '@coxswain/cri-runtime';
import { bindMount, mount, umountAll } from '@coxswain/linux';
import type { SpecMount } from '@coxswain/oci';
import type { DockerImage } from './docker-image.js';

/** What mount(2) takes. */
const MAX_MOUNT_DATA = 4095;

/**
 * Images as volumes, which the engine has no word for: their layers, laid over each other by us and given to the engine as folders to bind.
 * `<folder>/<key>/<n>` is the nth image of a container; which container that is, its mounts in the engine say.
 */
export class ImageMounts {
  constructor(
    private readonly folder: string,
    private readonly image: (reference: string) => Promise<DockerImage>,
  ) {}

  async make(key: string, mounts: readonly Mount[]): Promise<SpecMount[]> {
    const out: SpecMount[] = [];
    for (const [i, wanted] of mounts.filter((m) => m.image?.image).entries()) {
      const name = wanted.image?.image ?? '';
      const { layers } = await this.image(name);
      const target = join(this.folder, key, String(i));
      await mountLayers(layers, target, name);
      out.push(await imageVolumeMount(target, wanted));
    }
    return out;
  }

  async release(key: string): Promise<void> {
    await umountAll(join(this.folder, key));
    await rm(join(this.folder, key), { recursive: true, force: true });
  }

  /** Of the sources of a container's mounts: those that are ours. */
  keysIn(sources: readonly string[]): Set<string> {
    const ours = `${this.folder}/`;
    return new Set(sources.filter((source) => source.startsWith(ours)).map((source) => source.slice(ours.length).split('/')[0] as string));
  }

  /** Releases all others: what a server that was killed has left. */
  async keepOnly(keys: ReadonlySet<string>): Promise<void> {
    for (const key of await readdir(this.folder).catch(() => [])) if (!keys.has(key)) await this.release(key);
  }
}

async function mountLayers(layers: readonly string[], target: string, name: string): Promise<void> {
  await mkdir(target, { recursive: true, mode: 0o755 });
  const [only] = layers;
  if (only === undefined) throw new CriError('invalidArgument', `image ${name} has no layers`);
  if (layers.length === 1) return bindMount({ source: only, target, readOnly: true });
  const data = `lowerdir=${layers.join(':')}`;
  if (Buffer.byteLength(data) > MAX_MOUNT_DATA)
    throw new CriError('unimplemented', `image ${name} has too many layers (${layers.length}) to be mounted as a volume`);
  await mount({ type: 'overlay', source: 'overlay', target, data, readOnly: true });
}
