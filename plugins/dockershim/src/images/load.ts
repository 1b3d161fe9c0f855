import type { Readable } from 'node:stream';
import {
  choosePlatform,
  type Descriptor,
  formatReference,
  hostPlatform,
  type ImageArchive,
  MAX_MANIFEST_BYTES,
  OciError,
  openImageArchive,
  parseManifest,
  parseReference,
} from '@coxswain/oci';
import type { Engine } from '../engine/engine.js';
import { EngineError } from '../engine/engine-error.js';
import { type ArchiveImage, dockerArchive } from './docker-archive.js';

/** Hand an archive of `docker save`'s kind to the engine. */
export async function loadArchive(engine: Engine, tar: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const line of await engine.images.load(tar)) {
    const error = line.errorDetail?.message ?? line.error;
    if (error !== undefined) throw new EngineError('unknown', `the Docker Engine could not load the image: ${error}`);
  }
}

/**
 * Load an image archive, an OCI layout or what `docker save` writes, plain or gzip. Engines before 25 take only the latter, so the former
 * is told to them that way. Returns the names it can be run by.
 */
export async function importDockerImage(engine: Engine, source: Readable | AsyncIterable<Uint8Array>): Promise<string[]> {
  const archive = await openImageArchive(source);
  try {
    const images: ArchiveImage[] = [];
    for (const { names, target } of archive.images) {
      const image = await archived(archive, target);
      // A name is needed to run it.
      images.push({ ...image, names: names.length > 0 ? names : [`docker.io/library/import:${target.digest.slice('sha256:'.length, 19)}`] });
    }
    await loadArchive(engine, dockerArchive(images));
    return images.flatMap(({ names }) => names.map((name) => formatReference(parseReference(name))));
  } finally {
    await archive.close();
  }
}

async function archived(archive: ImageArchive, target: Descriptor): Promise<Omit<ArchiveImage, 'names'>> {
  const top = parseManifest(await bytes(archive, target.digest), target.mediaType);
  const chosen = top.kind === 'index' ? choosePlatform(top.index, hostPlatform()) : target;
  const doc = top.kind === 'index' ? parseManifest(await bytes(archive, chosen.digest), chosen.mediaType) : top;
  if (doc.kind !== 'manifest') throw new OciError('unsupported', 'an image index that points at an index is not supported');
  for (const blob of [...doc.manifest.layers, doc.manifest.config]) {
    if (!archive.has(blob.digest)) throw new OciError('invalid', `the image archive lacks ${blob.digest}`);
  }
  const config = await bytes(archive, doc.manifest.config.digest);
  return { config, layers: doc.manifest.layers.map(({ digest, size }) => ({ digest, size, read: () => archive.read(digest) })) };
}

async function bytes(archive: ImageArchive, digest: Descriptor['digest']): Promise<Buffer> {
  if (archive.size(digest) > MAX_MANIFEST_BYTES) throw new OciError('too-large', `${digest} in the image archive is larger than ${MAX_MANIFEST_BYTES} bytes`);
  const parts: Uint8Array[] = [];
  for await (const part of archive.read(digest)) parts.push(part);
  return Buffer.concat(parts);
}
