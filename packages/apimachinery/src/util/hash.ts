import { canonicalJson } from './json.js';

/** 32-bit FNV-1a over the UTF-8 bytes of a text. */
export function fnv32a(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';

/** Maps each character to one that cannot make words, as names of generated objects need. */
export function safeEncodeString(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i++) out += ALPHABET[text.charCodeAt(i) % ALPHABET.length];
  return out;
}

/**
 * A short name-safe hash of a JSON value, the same for equal values whatever their key order: `pod-template-hash`,
 * `controller-revision-hash`. `collisionCount` perturbs it.
 */
export function hashObject(value: unknown, collisionCount?: number): string {
  const text = canonicalJson(value) + (collisionCount === undefined ? '' : `#${collisionCount}`);
  return safeEncodeString(String(fnv32a(text)));
}
