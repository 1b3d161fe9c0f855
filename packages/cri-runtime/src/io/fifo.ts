import { chownSync, constants, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import { beforeRequire } from '@coxswain/linux';

type Mkfifo = (path: string, mode: number) => number;
let native: { mkfifo: Mkfifo; errno: () => number; EEXIST: number } | undefined;

/** Make a named pipe, mode 0600, of `owner`'s if given. Node has no call for it. One that is there already is fine. */
export function makeFifo(path: string, owner?: { readonly uid: number; readonly gid: number }): void {
  if (!native) {
    beforeRequire();
    const koffi = createRequire(import.meta.url)('koffi') as {
      load(lib: string | null): { func(signature: string): Mkfifo };
      errno(): number;
      os: { errno: { EEXIST: number } };
    };
    native = { mkfifo: koffi.load(null).func('int mkfifo(const char *path, uint32_t mode)'), errno: () => koffi.errno(), EEXIST: koffi.os.errno.EEXIST };
  }
  const errno = native.mkfifo(path, 0o600) === 0 ? 0 : native.errno();
  if (errno !== 0 && errno !== native.EEXIST) throw new Error(`mkfifo ${path} failed (errno ${errno})`);
  if (owner) chownSync(path, owner.uid, owner.gid);
}

/** The reading end, opened without waiting for a writer. Ends when the last writer has closed and all is read. */
export function openFifoReader(path: string): Socket {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return new Socket({ fd, readable: true, writable: false });
}

/** The writing end. Opened for both, so that it neither waits for a reader nor fails for lack of one. */
export function openFifoWriter(path: string): Socket {
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  return new Socket({ fd, readable: false, writable: true });
}
