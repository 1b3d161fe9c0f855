import { linuxError } from './errors.js';
import { loadKoffi } from './native-module.js';

interface Native {
  mknod(path: string, mode: number, device: bigint): number;
  lsetxattr(path: string, name: string, value: Uint8Array, size: number, flags: number): number;
  errno(): number;
}
let native: Native | undefined;

function calls(): Native {
  if (!native) {
    const koffi = loadKoffi();
    const libc = koffi.load(null);
    native = {
      mknod: libc.func('int mknod(const char *path, uint32_t mode, uint64_t device)') as Native['mknod'],
      lsetxattr: libc.func('int lsetxattr(const char *path, const char *name, const uint8_t *value, size_t size, int flags)') as Native['lsetxattr'],
      errno: () => koffi.errno(),
    };
  }
  return native;
}

/** glibc's encoding of a device number. */
const makeDevice = (major: number, minor: number) => {
  const [a, b] = [BigInt(major), BigInt(minor)];
  return ((a & 0xfffn) << 8n) | ((a & ~0xfffn) << 32n) | (b & 0xffn) | ((b & ~0xffn) << 12n);
};

/** File system calls Node lacks. Synchronous: they are as quick as a rename. Throw `LinuxError`. */
export const fileCalls = {
  /** mknod(2). `mode` holds the file type's bits (S_IFCHR, S_IFBLK, S_IFIFO) and the permissions. */
  mknod(path: string, mode: number, major: number, minor: number): void {
    if (calls().mknod(path, mode, makeDevice(major, minor)) < 0) throw linuxError(`mknod ${path}`, calls().errno());
  },
  /** lsetxattr(2): of the link itself. */
  setXattr(path: string, name: string, value: Uint8Array): void {
    if (calls().lsetxattr(path, name, value, value.length, 0) < 0) throw linuxError(`set ${name} of ${path}`, calls().errno());
  },
} as const;
