import type { KeyRange } from '@coxswain/sdk';
import { prefixRange } from '@coxswain/sdk';

/** etcd's and mvcc's convention: this as a range end means "no upper bound", this as a key "from the first". */
const ZERO = '\0';

/** Keys as etcd has them: bytes, with the store's prefix before them. */
export class KeySpace {
  constructor(readonly prefix: string) {}

  toBytes(key: string): Uint8Array {
    return Buffer.from(this.prefix + key);
  }

  toKey(bytes: Uint8Array): string {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8').slice(this.prefix.length);
  }

  toRange(range: KeyRange): { key: Uint8Array; rangeEnd: Uint8Array } {
    if (range.end === undefined) return { key: this.toBytes(range.key), rangeEnd: new Uint8Array(0) };
    const end = range.end !== ZERO ? this.prefix + range.end : this.prefix === '' ? ZERO : (prefixRange(this.prefix).end as string);
    // An empty key is none to etcd, and its smallest key is one zero byte.
    return { key: Buffer.from(this.prefix + range.key || ZERO), rangeEnd: Buffer.from(end) };
  }
}

/** Every key there is, whoever's. */
export const everything = { key: Buffer.from(ZERO), rangeEnd: Buffer.from(ZERO) };

/** Whether a key lies in a range, both in bytes. */
export function containsBytes(range: { readonly key: Uint8Array; readonly rangeEnd: Uint8Array }, key: Uint8Array): boolean {
  const { rangeEnd } = range;
  if (rangeEnd.length === 0) return Buffer.compare(key, range.key) === 0;
  if (Buffer.compare(key, range.key) < 0) return false;
  return (rangeEnd.length === 1 && rangeEnd[0] === 0) || Buffer.compare(key, rangeEnd) < 0;
}
