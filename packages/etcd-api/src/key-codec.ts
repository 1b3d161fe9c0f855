import { RpcError } from '@coxswain/cri';
import type { KeyRange } from '@coxswain/sdk';
import { EtcdError } from './etcd-errors.js';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decode(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** A key of the store, whose keys are text. */
export function toKey(bytes: Uint8Array): string {
  if (bytes.length === 0) throw new EtcdError('emptyKey');
  const key = decode(bytes);
  if (key === undefined) throw new RpcError('invalidArgument', 'etcdserver: keys of this store are UTF-8 text');
  return key;
}

/** etcd's range: no end is one key; a zero byte as the end is no bound, as the key the beginning. */
export function toKeyRange(key: Uint8Array, rangeEnd: Uint8Array): KeyRange {
  if (rangeEnd.length === 0) return { key: toKey(key) };
  const from = key.length === 1 && key[0] === 0 ? '' : toKey(key);
  return { key: from, end: decode(rangeEnd) ?? afterPrefix(rangeEnd) };
}

/**
 * A client makes the end of a prefix by adding one to its last byte, which may not be text any more (the end of "ÿ" is C3 C0). The
 * same bound in text is the next character.
 */
function afterPrefix(rangeEnd: Uint8Array): string {
  const prefix = Uint8Array.from(rangeEnd);
  const last = prefix.length - 1;
  prefix[last] = (prefix[last] as number) - 1;
  const characters = [...toKey(prefix)];
  const end = characters.pop()?.codePointAt(0) as number;
  return characters.join('') + String.fromCodePoint(end + 1);
}

export const toBytes = (key: string): Uint8Array => Buffer.from(key);
