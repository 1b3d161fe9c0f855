import { type ImageName, parseImageName } from './image-name.js';

export const VERIFICATION_MODES = ['NeverVerify', 'NeverVerifyPreloadedImages', 'NeverVerifyAllowlistedImages', 'AlwaysVerify'] as const;
export type VerificationMode = (typeof VERIFICATION_MODES)[number];

/** For which images that are on the node a pod has to show credentials: upstream's `imagePullCredentialsVerificationPolicy`. */
export interface VerificationPolicy {
  readonly mode: VerificationMode;
  /** Names without tag and digest, or `registry/path/*`; for `NeverVerifyAllowlistedImages`. */
  readonly allowlist: readonly string[];
}

/** @param byKubelet The kubelet has pulled it; else it was preloaded. Pure. */
export function mustVerify({ mode, allowlist }: VerificationPolicy, image: ImageName, byKubelet: boolean): boolean {
  switch (mode) {
    case 'NeverVerify':
      return false;
    case 'NeverVerifyPreloadedImages':
      return byKubelet;
    case 'NeverVerifyAllowlistedImages': {
      const name = fullName(image);
      return !allowlist.some((pattern) => (pattern.endsWith('/*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern));
    }
    case 'AlwaysVerify':
      return true;
  }
}

/** Name with registry, without tag and digest. Pure. */
export const fullName = ({ registry, repository }: ImageName) =>
  `${registry}/${registry === 'docker.io' && !repository.includes('/') ? 'library/' : ''}${repository}`;

/** Why a pattern of the allowlist is none; undefined: it is one. Pure. */
export function allowlistProblem(pattern: string): string | undefined {
  if (pattern !== pattern.trim()) return `leading/trailing spaces are not allowed: ${pattern}`;
  const wildcard = pattern.endsWith('/*');
  const plain = wildcard ? pattern.slice(0, -1) : pattern;
  if (plain === '') return `the supplied pattern is too short: ${pattern}`;
  if (plain.includes('*')) return `not a valid wildcard pattern, only patterns ending with '/*' are allowed: ${pattern}`;
  if (wildcard) return plain === '/' ? 'at least registry hostname is required' : undefined;
  const image = parseImageName(plain);
  if (!image) return `failed to parse as an image name: ${pattern}`;
  return fullName(image) === plain ? undefined : `neither tag nor digest is accepted in an image reference: ${pattern}`;
}
