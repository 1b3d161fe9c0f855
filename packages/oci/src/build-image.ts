import { gzipSync } from 'node:zlib';
import { type Digest, digestOf } from './digest.js';
import type { Descriptor, ImageConfig, ImageConfiguration, ImageIndex, ImageManifest, Platform } from './image-types.js';
import { MediaType } from './media-types.js';
import { hostPlatform } from './platform.js';
import { type TarEntry, writeTar } from './tar-writer.js';

/** A file of the image by path: its bytes, or bytes with mode and owner, or a directory, or a link. Parents are made as needed. */
export type ImageFile =
  | Uint8Array
  | string
  | { readonly content: Uint8Array | string; readonly mode?: number; readonly uid?: number; readonly gid?: number }
  | { readonly directory: true; readonly mode?: number; readonly uid?: number; readonly gid?: number }
  | { readonly symlink: string };

export interface BuildImageOptions {
  /** One layer's files by absolute path; an array makes several layers. */
  readonly files: Readonly<Record<string, ImageFile>> | readonly Readonly<Record<string, ImageFile>>[];
  readonly config?: ImageConfig;
  readonly platform?: Platform;
  /** Names given to the image in the layout (`org.opencontainers.image.ref.name`, full references). */
  readonly tags?: readonly string[];
  /** Layer compression; default gzip. */
  readonly compression?: 'gzip' | 'none';
}

export interface BuiltImage {
  readonly manifest: Descriptor;
  /** The image id. */
  readonly configDigest: Digest;
  readonly index: ImageIndex;
  /** All blobs by digest: layers, configuration, manifest. */
  readonly blobs: ReadonlyMap<Digest, Uint8Array>;
  /** An OCI image layout as one tar file, as `cox image load`, `skopeo` and `ctr image import` take it. */
  layoutTar(): Promise<Buffer>;
}

/** Build an OCI image in memory. The result depends on its input only. */
export async function buildImage(options: BuildImageOptions): Promise<BuiltImage> {
  const blobs = new Map<Digest, Uint8Array>();
  const put = (mediaType: string, bytes: Uint8Array): Descriptor => {
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const json = (mediaType: string, value: unknown) => put(mediaType, Buffer.from(JSON.stringify(value)));
  const layers: Descriptor[] = [];
  const diffIds: Digest[] = [];
  const fileSets = Array.isArray(options.files)
    ? (options.files as readonly Readonly<Record<string, ImageFile>>[])
    : [options.files as Readonly<Record<string, ImageFile>>];
  for (const files of fileSets) {
    const tar = await writeTar(layerEntries(files));
    diffIds.push(digestOf(tar));
    layers.push(options.compression === 'none' ? put(MediaType.ociLayer, tar) : put(MediaType.ociLayerGzip, gzipSync(tar, { level: 6 })));
  }
  const platform = options.platform ?? hostPlatform();
  const configuration: ImageConfiguration = {
    architecture: platform.architecture,
    os: platform.os,
    ...(platform.variant ? { variant: platform.variant } : {}),
    config: options.config ?? {},
    rootfs: { type: 'layers', diff_ids: diffIds },
  };
  const config = json(MediaType.ociConfig, configuration);
  const manifestBody: ImageManifest = { schemaVersion: 2, mediaType: MediaType.ociManifest, config, layers };
  const manifest = json(MediaType.ociManifest, manifestBody);
  const tags = options.tags ?? [];
  const entry = { ...manifest, platform };
  const index: ImageIndex = {
    schemaVersion: 2,
    mediaType: MediaType.ociIndex,
    manifests:
      tags.length === 0
        ? [entry]
        : tags.map((tag) => ({ ...entry, annotations: { 'io.containerd.image.name': tag, 'org.opencontainers.image.ref.name': tag } })),
  };
  return {
    manifest,
    configDigest: config.digest,
    index,
    blobs,
    layoutTar: () =>
      writeTar([
        { path: 'oci-layout', content: Buffer.from('{"imageLayoutVersion":"1.0.0"}') },
        { path: 'index.json', content: Buffer.from(JSON.stringify(index)) },
        { path: 'blobs', type: 'directory' },
        { path: 'blobs/sha256', type: 'directory' },
        ...[...blobs].map(([digest, content]) => ({ path: `blobs/${digest.replace(':', '/')}`, content })),
      ]),
  };
}

function layerEntries(files: Readonly<Record<string, ImageFile>>): TarEntry[] {
  const out = new Map<string, TarEntry>();
  for (const [name, file] of Object.entries(files)) {
    const path = name.replace(/^\/+|\/+$/g, '');
    const parts = path.split('/');
    for (let i = 1; i < parts.length; i++) {
      const parent = parts.slice(0, i).join('/');
      if (!out.has(parent)) out.set(parent, { path: parent, type: 'directory', ...(parent === 'tmp' ? { mode: 0o1777 } : {}) });
    }
    out.set(path, entryOf(path, file));
  }
  return [...out.values()];
}

function entryOf(path: string, file: ImageFile): TarEntry {
  if (typeof file === 'string' || file instanceof Uint8Array) return { path, content: typeof file === 'string' ? Buffer.from(file) : file };
  if ('directory' in file) return { path, type: 'directory', ...pick(file) };
  if ('symlink' in file) return { path, type: 'symlink', target: file.symlink };
  return { path, content: typeof file.content === 'string' ? Buffer.from(file.content) : file.content, ...pick(file) };
}

const pick = ({ mode, uid, gid }: { mode?: number; uid?: number; gid?: number }) => ({
  ...(mode === undefined ? {} : { mode }),
  ...(uid === undefined ? {} : { uid }),
  ...(gid === undefined ? {} : { gid }),
});
