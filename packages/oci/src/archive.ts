import { pipeline, Readable } from 'node:stream';
import { createReadStream } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { createHash } from 'node:crypto';
import { extract } from 'tar-stream';
import { type Digest, digestOf, isDigest } from './digest.js';
import { OciError } from './error.js';
import type { Descriptor, ImageIndex, ImageManifest } from './image-types.js';
import { MAX_MANIFEST_BYTES, parseConfiguration, parseManifest } from './manifest.js';
import { isIndex, MediaType } from './media-types.js';
import { formatReference, parseReference } from './reference.js';

/** An image found in an archive. */
export interface ArchivedImage {
  /** Full references it is named by; may be empty. */
  readonly names: readonly string[];
  readonly target: Descriptor;
}

/** A tar archive of images opened for import: an OCI layout or what `docker save` writes. Blobs are kept in a temporary file. */
export interface ImageArchive {
  readonly images: readonly ArchivedImage[];
  /** True when the archive has the content. */
  has(digest: Digest): boolean;
  /** The content, as stored; verified when it was read. */
  read(digest: Digest): AsyncIterable<Uint8Array>;
  size(digest: Digest): number;
  /** Removes the temporary file. */
  close(): Promise<void>;
}

interface Stored {
  readonly offset: number;
  readonly size: number;
  readonly digest: Digest;
}

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/** Read an image archive (plain or gzip) from a stream. Throws `OciError('invalid')` when it is neither kind. */
export async function openImageArchive(source: Readable | AsyncIterable<Uint8Array>): Promise<ImageArchive> {
  const directory = await mkdtemp(join(tmpdir(), 'cox-image-'));
  const path = join(directory, 'blobs');
  const close = () => rm(directory, { recursive: true, force: true });
  try {
    const { files, links } = await spool(source, path);
    const byDigest = new Map<Digest, Stored>([...files.values()].map((f) => [f.digest, f]));
    const extra = new Map<Digest, Uint8Array>();
    const fileOf = (name: string) => files.get(links.get(name) ?? name);
    const readFile = async (name: string) => {
      const file = fileOf(name);
      if (!file) throw new OciError('invalid', `the image archive lacks ${name}`);
      if (file.size > MAX_MANIFEST_BYTES) throw new OciError('too-large', `${name} in the image archive is larger than ${MAX_MANIFEST_BYTES} bytes`);
      return collect(readStored(path, file));
    };
    const images = fileOf('index.json') ? await fromLayout(readFile, byDigest) : await fromDockerArchive(readFile, fileOf, extra);
    return {
      images,
      has: (digest) => byDigest.has(digest) || extra.has(digest),
      size: (digest) => byDigest.get(digest)?.size ?? extra.get(digest)?.length ?? 0,
      read(digest) {
        const inMemory = extra.get(digest);
        if (inMemory) return one(inMemory);
        const stored = byDigest.get(digest);
        if (!stored) throw new OciError('not-found', `the image archive has no content ${digest}`);
        return readStored(path, stored);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function fromLayout(readFile: (name: string) => Promise<Buffer>, blobs: ReadonlyMap<Digest, Stored>): Promise<ArchivedImage[]> {
  const index = JSON.parse((await readFile('index.json')).toString('utf8')) as ImageIndex;
  const byTarget = new Map<Digest, { names: string[]; target: Descriptor }>();
  for (const descriptor of index.manifests ?? []) {
    if (!isDigest(descriptor.digest)) throw new OciError('invalid', `the OCI layout names an unusable digest ${String(descriptor.digest)}`);
    const stored = blobs.get(descriptor.digest);
    if (!stored) throw new OciError('invalid', `the OCI layout lacks blob ${descriptor.digest}, or the blob does not have that digest`);
    if (stored.size !== descriptor.size)
      throw new OciError('size-mismatch', `${descriptor.digest} has ${stored.size} bytes; the layout says ${descriptor.size}`);
    const entry = byTarget.get(descriptor.digest) ?? {
      names: [],
      target: { mediaType: descriptor.mediaType, digest: descriptor.digest, size: descriptor.size },
    };
    const name = descriptor.annotations?.['io.containerd.image.name'] ?? descriptor.annotations?.['org.opencontainers.image.ref.name'];
    // A bare tag ("latest") names nothing by itself.
    if (name && /[/:@]/.test(name)) entry.names.push(formatReference(parseReference(name)));
    byTarget.set(descriptor.digest, entry);
  }
  if (byTarget.size === 0) throw new OciError('invalid', 'the OCI layout holds no image');
  return [...byTarget.values()];
}

async function fromDockerArchive(
  readFile: (name: string) => Promise<Buffer>,
  fileOf: (name: string) => Stored | undefined,
  extra: Map<Digest, Uint8Array>,
): Promise<ArchivedImage[]> {
  if (!fileOf('manifest.json'))
    throw new OciError('invalid', 'this is neither an OCI image layout nor a docker archive: no index.json and no manifest.json in it');
  const entries = JSON.parse((await readFile('manifest.json')).toString('utf8')) as { Config: string; RepoTags?: string[] | null; Layers: string[] }[];
  const images: ArchivedImage[] = [];
  for (const entry of entries) {
    const config = await readFile(entry.Config);
    parseConfiguration(config);
    const layers = entry.Layers.map((name): Descriptor => {
      const file = fileOf(name);
      if (!file) throw new OciError('invalid', `the docker archive lacks layer ${name}`);
      return { mediaType: MediaType.dockerLayer, digest: file.digest, size: file.size };
    });
    const manifest: ImageManifest = {
      schemaVersion: 2,
      mediaType: MediaType.dockerManifest,
      config: { mediaType: MediaType.dockerConfig, digest: digestOf(config), size: config.length },
      layers,
    };
    const bytes = Buffer.from(JSON.stringify(manifest));
    const target: Descriptor = { mediaType: MediaType.dockerManifest, digest: digestOf(bytes), size: bytes.length };
    extra.set(target.digest, bytes);
    images.push({ names: (entry.RepoTags ?? []).map((t) => formatReference(parseReference(t))), target });
  }
  if (images.length === 0) throw new OciError('invalid', 'the docker archive holds no image');
  return images;
}

/** Everything the archive has of an image, children first: what must be stored for `target` to be complete on this platform. */
export async function archivedContent(archive: ImageArchive, target: Descriptor): Promise<Descriptor[]> {
  const out: Descriptor[] = [];
  const visit = async (descriptor: Descriptor, top: boolean): Promise<void> => {
    if (!archive.has(descriptor.digest)) {
      if (top) throw new OciError('invalid', `the image archive lacks ${descriptor.digest}`);
      return; // Another platform's half of an index may be missing.
    }
    const doc = parseManifest(await collect(archive.read(descriptor.digest)), descriptor.mediaType);
    if (doc.kind === 'index') for (const child of doc.index.manifests) await visit(child, false);
    else {
      for (const blob of [...doc.manifest.layers, doc.manifest.config]) {
        if (!archive.has(blob.digest)) throw new OciError('invalid', `the image archive lacks ${blob.digest}`);
        if (archive.size(blob.digest) !== blob.size)
          throw new OciError('size-mismatch', `${blob.digest} has ${archive.size(blob.digest)} bytes; its manifest says ${blob.size}`);
        out.push(blob);
      }
    }
    out.push(isIndex(doc.mediaType) ? { ...descriptor, mediaType: doc.mediaType } : descriptor);
  };
  await visit(target, true);
  return out;
}

async function spool(source: Readable | AsyncIterable<Uint8Array>, path: string): Promise<{ files: Map<string, Stored>; links: Map<string, string> }> {
  const files = new Map<string, Stored>();
  const links = new Map<string, string>();
  const out = await open(path, 'w');
  const tar = extract();
  const feed = (async () => {
    try {
      for await (const chunk of await maybeGunzip(source)) {
        if (!tar.write(chunk)) await new Promise<void>((resolve) => tar.once('drain', resolve));
      }
      tar.end(undefined);
    } catch (error) {
      tar.destroy(error as Error);
    }
  })();
  try {
    let offset = 0;
    for await (const entry of tar) {
      const name = entry.header.name.replace(/^\.\//, '');
      if (entry.header.type === 'symlink' || entry.header.type === 'link') {
        links.set(name, resolveLink(name, entry.header.linkname ?? '', entry.header.type === 'link'));
        entry.resume();
        continue;
      }
      const hash = createHash('sha256');
      const start = offset;
      for await (const chunk of entry) {
        hash.update(chunk as Buffer);
        await out.write(chunk as Buffer);
        offset += (chunk as Buffer).length;
      }
      if (entry.header.type === 'file' || entry.header.type === 'contiguous-file')
        files.set(name, { offset: start, size: offset - start, digest: `sha256:${hash.digest('hex')}` });
    }
    await feed;
  } catch (cause) {
    throw cause instanceof OciError ? cause : new OciError('invalid', `this is not a readable image archive: ${(cause as Error).message}`, { cause });
  } finally {
    await out.close();
  }
  return { files, links };
}

function resolveLink(from: string, target: string, hard: boolean): string {
  return hard ? target.replace(/^\.\//, '') : join(from, '..', target);
}

async function maybeGunzip(source: Readable | AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const iterator = source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  const first = await iterator.next();
  const whole = (async function* () {
    for (let step = first; !step.done; step = await iterator.next()) yield step.value;
  })();
  if (first.done || !Buffer.from(first.value).subarray(0, 2).equals(GZIP_MAGIC)) return whole;
  const gunzip = createGunzip();
  pipeline(Readable.from(whole), gunzip, () => {});
  return gunzip;
}

function readStored(path: string, file: Stored): AsyncIterable<Uint8Array> {
  return file.size === 0 ? one(new Uint8Array()) : createReadStream(path, { start: file.offset, end: file.offset + file.size - 1, highWaterMark: 1 << 20 });
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}
