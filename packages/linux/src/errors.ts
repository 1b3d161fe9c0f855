import { constants } from 'node:os';

const NAMES = new Map<number, string>(Object.entries(constants.errno).map(([name, n]) => [n, name]));

/** The symbolic name of an errno (`ENOENT`), or `E<number>`. */
export function errnoName(errno: number): string {
  // Linux has ENOTSUP and EOPNOTSUPP as one number; the second is what manuals say.
  if (errno === constants.errno.EOPNOTSUPP) return 'EOPNOTSUPP';
  if (errno === constants.errno.EAGAIN) return 'EAGAIN';
  return NAMES.get(errno) ?? `E${errno}`;
}

/** A refused system call or netlink request. `code` is the errno's name; `kernel` the kernel's own words, if it gave any. */
export class LinuxError extends Error {
  override readonly name: string = 'LinuxError';
  readonly code: string;
  constructor(
    readonly operation: string,
    readonly errno: number,
    readonly kernel?: string,
  ) {
    const code = errnoName(errno);
    super(`${operation}: ${kernel ? `${kernel} (${code})` : code}`);
    this.code = code;
  }
}

/** The link, address, route, mount or namespace is not there. */
export class NotFoundError extends LinuxError {
  override readonly name = 'NotFoundError';
}

/** The link, address, route or file is there already. */
export class AlreadyExistsError extends LinuxError {
  override readonly name = 'AlreadyExistsError';
}

/** The kernel refuses: a capability is missing. */
export class PermissionError extends LinuxError {
  override readonly name = 'PermissionError';
}

const E = constants.errno;

/** The most telling error class for an errno. */
export function linuxError(operation: string, errno: number, kernel?: string): LinuxError {
  switch (errno) {
    case E.ENOENT:
    case E.ENODEV:
    case E.ESRCH:
    case E.EADDRNOTAVAIL:
    case E.ENXIO:
      return new NotFoundError(operation, errno, kernel);
    case E.EEXIST:
      return new AlreadyExistsError(operation, errno, kernel);
    case E.EPERM:
    case E.EACCES:
      return new PermissionError(operation, errno, kernel);
    default:
      return new LinuxError(operation, errno, kernel);
  }
}
