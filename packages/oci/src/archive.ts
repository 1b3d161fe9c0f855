import { pipeline, Readable } from 'node:stream';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { createHash } from 'node:crypto';
import { extract } from 'tar-stream';
import { type Digest, digestOf } from './digest.js';
import { OciError } from './error.js';
import type { Descriptor, ImageManifest } from './image-types.js';
import { MAX_MANIFEST_BYTES, parseConfiguration, parseJson, parseManifest } from './manifest.js';
import { isIndex, MediaType } from './media-types.js';
import { formatReference, parseReference } from './reference.js';
import { readLimited } from './verify.js';

/** An image found in an archive. */
export interface ArchivedImage {
  /** Full references it is named by; may be empty. */
  readonly names: readonly string[];
  readonly target: Descriptor;
}

/** A tar archive of images opened for import: an OCI layout or what `docker save` writes. Blobs are kept in a file without a name. */
export interface ImageArchive {
  readonly images: readonly ArchivedImage[];
  /** True when the archive has the content. */
  has(digest: Digest): boolean;
  /** The content, as stored; verified when it was read. */
  read(digest: Digest): AsyncIterable<Uint8Array>;
  size(digest: Digest): number;
  /** Frees the disk that the blobs take. */
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
  const spooled = await namelessFile();
  const close = () => spooled.close();
  try {
    const { files, links } = await spool(source, spooled);
    const byDigest = new Map<Digest, Stored>([...files.values()].map((f) => [f.digest, f]));
    const extra = new Map<Digest, Uint8Array>();
    const fileOf = (name: string) => files.get(links.get(name) ?? name);
    const readFile = async (name: string) => {
      const file = fileOf(name);
      if (!file) throw new OciError('invalid', `the image archive lacks ${name}`);
      if (file.size > MAX_MANIFEST_BYTES) throw new OciError('too-large', `${name} in the image archive is larger than ${MAX_MANIFEST_BYTES} bytes`);
      return readLimited(readStored(spooled, file), MAX_MANIFEST_BYTES, name);
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
        return readStored(spooled, stored);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function fromLayout(readFile: (name: string) => Promise<Buffer>, blobs: ReadonlyMap<Digest, Stored>): Promise<ArchivedImage[]> {
  const parsed = parseManifest(await readFile('index.json'), MediaType.ociIndex);
  if (parsed.kind !== 'index') throw new OciError('invalid', 'index.json of the OCI layout is no index');
  const byTarget = new Map<Digest, { names: string[]; target: Descriptor }>();
  for (const descriptor of parsed.index.manifests) {
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
  const entries = dockerEntries(await readFile('manifest.json'));
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

interface DockerEntry {
  readonly Config: string;
  readonly RepoTags?: readonly string[] | null;
  readonly Layers: readonly string[];
}

function dockerEntries(bytes: Uint8Array): DockerEntry[] {
  const strings = (value: unknown) => Array.isArray(value) && value.every((each) => typeof each === 'string');
  const entries = parseJson(bytes, 'manifest.json of the docker archive') as readonly (DockerEntry | null)[];
  const isEntry = (entry: DockerEntry | null) => typeof entry?.Config === 'string' && strings(entry.Layers) && strings(entry.RepoTags ?? []);
  if (!Array.isArray(entries) || !entries.every(isEntry))
    throw new OciError('invalid', 'manifest.json of the docker archive is not a list of images with Config, RepoTags and Layers');
  return entries as DockerEntry[];
}

/** Everything the archive has of an image, children first: what must be stored for `target` to be complete on this platform. */
export async function archivedContent(archive: ImageArchive, target: Descriptor): Promise<Descriptor[]> {
  const out: Descriptor[] = [];
  // Indexes that name one another many times over would be walked without end.
  const visited = new Set<Digest>();
  const visit = async (descriptor: Descriptor, top: boolean): Promise<void> => {
    if (visited.has(descriptor.digest)) return;
    visited.add(descriptor.digest);
    if (!archive.has(descriptor.digest)) {
      if (top) throw new OciError('invalid', `the image archive lacks ${descriptor.digest}`);
      return; // Another platform's half of an index may be missing.
    }
    const doc = parseManifest(await readLimited(archive.read(descriptor.digest), MAX_MANIFEST_BYTES, descriptor.digest), descriptor.mediaType);
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

/** Gone with this process, however it ends. */
async function namelessFile(): Promise<FileHandle> {
  const directory = await mkdtemp(join(tmpdir(), 'cox-image-'));
  try {
    return await open(join(directory, 'blobs'), 'wx+', 0o600);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function spool(source: Readable | AsyncIterable<Uint8Array>, out: FileHandle): Promise<{ files: Map<string, Stored>; links: Map<string, string> }> {
  const files = new Map<string, Stored>();
  const links = new Map<string, string>();
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
        await out.writeFile(chunk as Buffer);
        offset += (chunk as Buffer).length;
      }
      if (entry.header.type === 'file' || entry.header.type === 'contiguous-file')
        files.set(name, { offset: start, size: offset - start, digest: `sha256:${hash.digest('hex')}` });
    }
    await feed;
  } catch (cause) {
    if (cause instanceof OciError) throw cause;
    if (isFull(cause)) throw new OciError('too-large', `the image archive does not fit into ${tmpdir()}: ${(cause as Error).message}`, { cause });
    throw new OciError('invalid', `this is not a readable image archive: ${(cause as Error).message}`, { cause });
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

const isFull = (error: unknown) => ['ENOSPC', 'EDQUOT', 'EFBIG'].includes((error as NodeJS.ErrnoException).code ?? '');

async function* readStored(from: FileHandle, { offset, size }: Stored): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < size; ) {
    const { bytesRead, buffer } = await from.read(Buffer.allocUnsafe(Math.min(size - at, 1 << 20)), { position: offset + at });
    if (bytesRead === 0) throw new OciError('invalid', 'the image archive is cut off');
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
