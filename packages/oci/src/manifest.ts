import { OciError } from './error.js';
import { isDigest } from './digest.js';
import type { Descriptor, ImageConfiguration, ImageIndex, ImageManifest } from './image-types.js';
import { isIndex, isManifest } from './media-types.js';

/** A manifest or an index larger than this is refused (the distribution specification asks registries for 4 MiB). */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
/** A configuration larger than this is refused. */
export const MAX_CONFIG_BYTES = 8 * 1024 * 1024;

/** Parse a manifest or index document, checking what we rely on. */
export function parseManifest(
  bytes: Uint8Array,
  mediaType?: string,
): { kind: 'manifest'; manifest: ImageManifest; mediaType: string } | { kind: 'index'; index: ImageIndex; mediaType: string } {
  const doc = parseJson(bytes, 'the image manifest') as Partial<ImageManifest & ImageIndex>;
  const type =
    doc.mediaType ??
    (mediaType && (isIndex(mediaType) || isManifest(mediaType))
      ? mediaType
      : doc.manifests
        ? 'application/vnd.oci.image.index.v1+json'
        : 'application/vnd.oci.image.manifest.v1+json');
  if (doc.schemaVersion !== 2)
    throw new OciError('unsupported', `image manifest schema ${String(doc.schemaVersion)} is not supported; only schema 2 and OCI are`);
  if (isIndex(type)) {
    if (!Array.isArray(doc.manifests)) throw new OciError('invalid', 'the image index has no manifests');
    doc.manifests.forEach(checkDescriptor);
    return { kind: 'index', index: doc as ImageIndex, mediaType: type };
  }
  if (!isManifest(type)) throw new OciError('unsupported', `media type ${type} is not an image`);
  if (!doc.config || !Array.isArray(doc.layers)) throw new OciError('invalid', 'the image manifest lacks config or layers');
  checkDescriptor(doc.config);
  doc.layers.forEach(checkDescriptor);
  return { kind: 'manifest', manifest: doc as ImageManifest, mediaType: type };
}

export function parseConfiguration(bytes: Uint8Array): ImageConfiguration {
  const doc = parseJson(bytes, 'the image configuration') as Partial<ImageConfiguration>;
  const diffIds = doc.rootfs?.diff_ids;
  if (!Array.isArray(diffIds) || !diffIds.every((d) => typeof d === 'string' && isDigest(d)))
    throw new OciError('invalid', 'the image configuration has no valid rootfs.diff_ids');
  checkConfig(doc.config);
  return doc as ImageConfiguration;
}

/** What a container starts with comes from here: a value of another type would show up as a riddle there. */
function checkConfig(config: unknown): void {
  if (config == null) return;
  const isRecord = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
  const isString = (value: unknown) => typeof value === 'string' && !value.includes('\0');
  const isList = (value: unknown) => Array.isArray(value) && value.every(isString);
  if (!isRecord(config)) throw new OciError('invalid', 'config of the image configuration is not an object');
  const checks: Readonly<Record<string, (value: unknown) => boolean>> = {
    ...{ User: isString, WorkingDir: isString, StopSignal: isString, Env: isList, Entrypoint: isList, Cmd: isList },
    ...{ Labels: isRecord, Volumes: isRecord, ExposedPorts: isRecord },
  };
  for (const [name, check] of Object.entries(checks)) {
    const value = (config as Record<string, unknown>)[name];
    if (value != null && !check(value))
      throw new OciError('invalid', `config.${name} of the image configuration has the wrong type: ${JSON.stringify(value).slice(0, 100)}`);
  }
}

function checkDescriptor(d: Descriptor): void {
  if (typeof d?.digest !== 'string' || !isDigest(d.digest))
    throw new OciError('invalid', `the image names content by an unusable digest ${JSON.stringify(d?.digest)}`);
  if (!Number.isSafeInteger(d.size) || d.size < 0) throw new OciError('invalid', `the image gives ${d.digest} an impossible size`);
}

/** An object or an array. `what` is for the message. */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (typeof value === 'object' && value !== null) return value;
  } catch (cause) {
    throw new OciError('invalid', `${what} is not JSON`, { cause });
  }
  throw new OciError('invalid', `${what} is not a JSON object`);
}
