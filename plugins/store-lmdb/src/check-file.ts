import { closeSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';
import { CorruptStoreError } from '@coxswain/sdk';

// lmdb 3.5's meta page: 24 bytes of page header, then magic, format, address, map size, two database records of 48 bytes.
const MAGIC = 0xbeefc0de;
const MAGIC_AT = 24;
const PAGE_SIZE_AT = 48;
const LAST_PAGE_AT = 144;
const TXN_AT = 152;
const META_BYTES = 168;
/** Pages that a transaction allocated and gave back need never have been written: the file may be this much shorter. */
const SLACK = 1024 * 1024;

/**
 * Looks at the file before it is mapped: reading a page that is not there would kill the process with SIGBUS.
 * A file that does not exist or is empty is fine. Throws `CorruptStoreError`.
 */
export function checkFile(path: string): void {
  let fd: number;
  try {
    fd = openSync(path, 'r+');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  try {
    const size = fstatSync(fd).size;
    if (size === 0) return;
    const first = readMeta(fd, 0);
    const second = first && readMeta(fd, first.pageSize);
    const newest = [first, second].filter((m) => m !== undefined).sort((a, b) => b.txn - a.txn)[0];
    if (!newest) throw corrupt(path, 'it is not a Coxswain store');
    const expected = (newest.lastPage + 1) * newest.pageSize;
    if (size + SLACK < expected) throw corrupt(path, `it is cut short: ${size} of ${expected} bytes are there`);
    if (size < expected) ftruncateSync(fd, expected);
  } finally {
    closeSync(fd);
  }
}

export function corrupt(path: string, what: string, cause?: unknown): CorruptStoreError {
  return new CorruptStoreError(`cannot use ${path}: ${what}; restore it from a snapshot, or move it away to start with an empty store`, { cause });
}

function readMeta(fd: number, at: number): { pageSize: number; lastPage: number; txn: number } | undefined {
  const meta = Buffer.alloc(META_BYTES);
  if (readSync(fd, meta, 0, META_BYTES, at) < META_BYTES || meta.readUInt32LE(MAGIC_AT) !== MAGIC) return undefined;
  const pageSize = meta.readUInt32LE(PAGE_SIZE_AT);
  if (pageSize < 512 || pageSize > 65536 || (pageSize & (pageSize - 1)) !== 0) return undefined;
  return { pageSize, lastPage: Number(meta.readBigUInt64LE(LAST_PAGE_AT)), txn: Number(meta.readBigUInt64LE(TXN_AT)) };
}
