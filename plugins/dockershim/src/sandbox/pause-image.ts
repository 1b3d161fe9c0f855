import { buildImage, digestOf } from '@coxswain/oci';
import { hostElfArch, pauseProgram } from '@coxswain/cri-runtime';
import type { Engine } from '../engine/engine.js';
import { ignoring } from '../engine/engine-error.js';
import { dockerArchive } from '../images/docker-archive.js';
import { loadArchive } from '../images/load.js';

const REPOSITORY = 'coxswain.local/pause';

/** The image of sandboxes' containers: one program of a few hundred bytes, assembled here, named after what it is. */
export async function ensurePauseImage(engine: Engine): Promise<string> {
  const program = pauseProgram(hostElfArch());
  const name = `${REPOSITORY}:${digestOf(program).slice('sha256:'.length, 19)}`;
  if (await engine.images.inspect(name).catch(ignoring(404))) return name;
  const image = await buildImage({ files: { '/pause': { content: program, mode: 0o755 } }, config: { Entrypoint: ['/pause'] }, tags: [name] });
  const manifest = { config: image.blobs.get(image.configDigest) as Uint8Array, layers: layersOf(image.blobs, image.manifest.digest) };
  await loadArchive(engine, dockerArchive([{ names: [name], ...manifest }]));
  return name;
}

/** Never to be collected as garbage. */
export const isPauseImage = (names: readonly string[]) => names.some((name) => name.startsWith(`${REPOSITORY}:`));

function layersOf(blobs: ReadonlyMap<string, Uint8Array>, manifestDigest: string): { digest: string; size: number; read: () => AsyncIterable<Uint8Array> }[] {
  const manifest = JSON.parse(Buffer.from(blobs.get(manifestDigest) as Uint8Array).toString('utf8')) as { layers: { digest: string; size: number }[] };
  return manifest.layers.map(({ digest, size }) => ({
    digest,
    size,
    async *read() {
      yield blobs.get(digest) as Uint8Array;
    },
  }));
}
