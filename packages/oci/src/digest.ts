import { createHash, type Hash } from 'node:crypto';

/** `sha256:<64 hex>` or `sha512:<128 hex>`. */
export type Digest = string & { readonly __digest?: never };

const LENGTHS = { sha256: 64, sha512: 128 } as const;

/** True for a digest whose algorithm we can verify. */
export function isDigest(text: string): text is Digest {
  const [algorithm, hex, ...rest] = text.split(':');
  const length = LENGTHS[algorithm as keyof typeof LENGTHS];
  return rest.length === 0 && length !== undefined && hex?.length === length && /^[0-9a-f]+$/.test(hex);
}

export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export function hasherFor(digest: Digest): Hash {
  return createHash(digest.split(':')[0] as string);
}
