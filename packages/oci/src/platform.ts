import { OciError } from './error.js';
import type { Descriptor, ImageIndex, Platform } from './image-types.js';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', arm: 'arm', ppc64: 'ppc64le', s390x: 's390x', riscv64: 'riscv64' };

/** The platform of the images this machine runs. */
export function hostPlatform(arch: string = process.arch): Platform {
  return { os: 'linux', architecture: ARCHITECTURES[arch] ?? arch };
}

/** The manifest of an index for a platform; attestations and other platforms are passed over. */
export function choosePlatform(index: ImageIndex, wanted: Platform): Descriptor {
  const matches = index.manifests.filter(
    (m) =>
      m.platform != null &&
      m.platform.os === wanted.os &&
      m.platform.architecture === wanted.architecture &&
      m.annotations?.['vnd.docker.reference.type'] === undefined,
  );
  const best = matches.find((m) => m.platform?.variant === wanted.variant) ?? matches[0];
  if (best) return best;
  // An index of one image without platform (as `cox image` and some builders write) is that image.
  const plain = index.manifests.filter((m) => m.platform == null);
  if (plain.length === 1 && plain[0] && index.manifests.length === 1) return plain[0];
  const offered = index.manifests.map((m) => `${m.platform?.os ?? '?'}/${m.platform?.architecture ?? '?'}`).join(', ');
  throw new OciError('not-found', `no match for platform ${wanted.os}/${wanted.architecture}; the image offers ${offered || 'nothing'}`);
}
