import { NoSpaceError, StoreError, StoreUnavailableError } from '@coxswain/sdk';
import { corrupt } from './check-file.js';

const NO_SPACE = /ENOSPC|EDQUOT|no space left|disk quota|MDB_MAP_FULL|file too large/i;
const CORRUPT = /MDB_CORRUPTED|MDB_INVALID|MDB_PAGE_NOTFOUND|MDB_VERSION_MISMATCH|MDB_PANIC|not an LMDB file/i;

/** LMDB's and the system's errors as those of the StateStore contract. */
export function translate(error: unknown, path: string): StoreError {
  if (error instanceof StoreError) return error;
  const { message, code } = error as { message: string; code?: unknown };
  // lmdb's `code` is the errno or its own negative number.
  if (code === 28 || code === 122 || NO_SPACE.test(`${message} ${String(code)}`)) {
    return noSpace(path, error);
  }
  if (CORRUPT.test(message)) return corrupt(path, message, error);
  return new StoreUnavailableError(`${path}: ${message}`, { cause: error });
}

export function noSpace(path: string, cause?: unknown): NoSpaceError {
  return new NoSpaceError(`no space left for ${path}: reads go on, writes fail until there is space on its disk`, { cause });
}
