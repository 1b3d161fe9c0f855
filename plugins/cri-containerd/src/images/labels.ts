import { chainIds, type Descriptor, type ImageConfiguration, type ImageIndex, type ImageManifest } from '@coxswain/oci';

/** On image names: the image's id, so that names can be grouped without reading content. */
export const IMAGE_ID_LABEL = 'coxswain.dev/image-id';
/** Upstream's label for images that must not be garbage-collected by the kubelet. */
export const PINNED_LABEL = 'io.cri-containerd.pinned';

const GC = 'containerd.io/gc.ref';

/** Labels that keep children alive under containerd's garbage collector. */
export function indexGcLabels(index: ImageIndex, present: (d: Descriptor) => boolean): Record<string, string> {
  return Object.fromEntries(index.manifests.filter(present).map((m, i) => [`${GC}.content.m.${i}`, m.digest]));
}

export function manifestGcLabels(manifest: ImageManifest): Record<string, string> {
  return { [`${GC}.content.config`]: manifest.config.digest, ...Object.fromEntries(manifest.layers.map((l, i) => [`${GC}.content.l.${i}`, l.digest])) };
}

/** Keeps the unpacked layers as long as the configuration is kept. */
export function configGcLabels(config: ImageConfiguration, snapshotter: string): Record<string, string> {
  const top = chainIds(config.rootfs.diff_ids).at(-1);
  return top === undefined ? {} : { [`${GC}.snapshot.${snapshotter}`]: top };
}
