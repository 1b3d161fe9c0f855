import type * as NodeFs from 'node:fs';

/** What the thread can be asked. Every request runs to its end before the next begins, on one OS thread. */
export type ThreadRequest =
  | {
      readonly op: 'createNamespaces';
      /** CLONE_NEW* flags of all `pins`. */
      readonly flags: number;
      readonly pins: readonly { readonly kind: string; readonly path: string; readonly flag: number }[];
      /** Pin those that this process is in, instead of new ones. */
      readonly of?: number;
      readonly hostname?: string;
      /** `as`: the effective user id that may write it. */
      readonly sysctls: readonly { readonly path: string; readonly value: string; readonly as?: number }[];
      /** Netlink messages sent from inside the new network namespace (to bring `lo` up). */
      readonly messages: readonly Uint8Array[];
    }
  | { readonly op: 'rtnetlink'; readonly netns?: string; readonly messages: readonly Uint8Array[] }
  | { readonly op: 'mount'; readonly source: string; readonly target: string; readonly type: string; readonly flags: number; readonly data: string | null }
  | { readonly op: 'idmapMount'; readonly source: string; readonly target: string; readonly userns: string }
  | { readonly op: 'umount'; readonly target: string; readonly flags: number }
  | { readonly op: 'connect'; readonly netns?: string; readonly family: number; readonly address: Uint8Array }
  | { readonly op: 'readFile'; readonly netns: string; readonly path: string }
  | { readonly op: 'writeFile'; readonly netns: string; readonly path: string; readonly data: string };

export interface NetlinkReply {
  /** 0: accepted. */
  readonly errno: number;
  /** The kernel's extended acknowledgement, when there was one. */
  readonly kernel?: string;
  readonly messages: readonly { readonly type: number; readonly body: Uint8Array }[];
}

export type ThreadReply =
  | { readonly ok: true; readonly replies?: readonly NetlinkReply[]; readonly fd?: number; readonly text?: string }
  /** `poisoned`: the thread could not leave a namespace and must never be used again. */
  | { readonly ok: false; readonly operation: string; readonly errno: number; readonly message?: string; readonly poisoned?: boolean };

/** The little of koffi that is used. */
export interface KoffiLike {
  load(path: string | null): { func(prototype: string): (...args: unknown[]) => number };
  errno(): number;
}

/**
 * The program of the thread: handles one request synchronously.
 *
 * It is sent to the worker as source text (`toString()`), because the application is bundled into one file and has no
 * second file to start a worker from. So it must be self-contained: no imports, nothing from the enclosing module.
 *
 * Invariant: between two requests the thread is in the namespaces it was born in. Namespaces belong to OS threads, so
 * everything between entering and leaving is synchronous.
 */
export function threadProgram(koffi: KoffiLike, fs: typeof NodeFs): (request: ThreadRequest) => ThreadReply {
  const libc = koffi.load(null);
  const unshare = libc.func('int unshare(int flags)');
  const setns = libc.func('int setns(int fd, int type)');
  const mount = libc.func('int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)');
  const umount2 = libc.func('int umount2(const char *target, int flags)');
  const openTree = libc.func('long syscall(long number, int dir, const char *path, uint32_t flags)');
  const mountSetattr = libc.func('long syscall(long number, int dir, const char *path, uint32_t flags, const uint8_t *attributes, size_t size)');
  const moveMount = libc.func('long syscall(long number, int from, const char *path, int to, const char *target, uint32_t flags)');
  // glibc's own changes the ids of every thread.
  const setresuid = libc.func('long syscall(long number, uint32_t real, uint32_t effective, uint32_t saved)');
  const sethostname = libc.func('int sethostname(const char *name, size_t len)');
  const socket = libc.func('int socket(int domain, int type, int protocol)');
  const setsockopt = libc.func('int setsockopt(int fd, int level, int name, const uint8_t *value, uint32_t len)');
  const getsockopt = libc.func('int getsockopt(int fd, int level, int name, _Out_ uint8_t *value, _Inout_ uint32_t *len)');
  const send = libc.func('long send(int fd, const uint8_t *buf, size_t len, int flags)');
  const recv = libc.func('long recv(int fd, _Out_ uint8_t *buf, size_t len, int flags)');
  const connect = libc.func('int connect(int fd, const uint8_t *address, uint32_t len)');

  const CLONE_NEWNET = 0x40000000;
  const SOCK_CLOEXEC = 0x80000;
  const SOCK_NONBLOCK = 0x800;
  const SOL_NETLINK = 270;
  const NETLINK_EXT_ACK = 11;
  const NETLINK_GET_STRICT_CHK = 12;
  const NLM_F_DUMP = 0x300;

  class Refused {
    constructor(
      readonly operation: string,
      readonly errno: number,
      readonly message?: string,
    ) {}
  }
  class Poisoned extends Refused {}

  const check = (operation: string, result: number): number => {
    if (result < 0) throw new Refused(operation, koffi.errno());
    return result;
  };

  const home = new Map<string, number>();
  const homeFd = (kind: string): number => {
    let fd = home.get(kind);
    if (fd === undefined) {
      fd = fs.openSync(`/proc/thread-self/ns/${kind}`, 'r');
      home.set(kind, fd);
    }
    return fd;
  };
  const leave = (kind: string): void => {
    if (setns(homeFd(kind), 0) < 0) throw new Poisoned(`leave ${kind} namespace`, koffi.errno());
  };
  const inNetns = <T>(path: string | undefined, body: () => T): T => {
    if (path === undefined) return body();
    homeFd('net');
    const fd = fs.openSync(path, 'r');
    try {
      check(`enter network namespace ${path}`, setns(fd, CLONE_NEWNET));
    } finally {
      fs.closeSync(fd);
    }
    try {
      return body();
    } finally {
      leave('net');
    }
  };

  const openNetlink = (): number => {
    const fd = check('open netlink socket', socket(16, 3 | SOCK_CLOEXEC, 0));
    const one = Buffer.from([1, 0, 0, 0]);
    setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, one, 4);
    setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, one, 4);
    // The kernel answers within send(); a receive that waits is a bug, and must not hang the thread.
    const fiveSeconds = Buffer.alloc(16);
    fiveSeconds.writeBigInt64LE(5n, 0);
    setsockopt(fd, 1 /* SOL_SOCKET */, 20 /* SO_RCVTIMEO */, fiveSeconds, 16);
    return fd;
  };

  const inbox = Buffer.alloc(1 << 16);
  let rootSocket: number | undefined;

  const extendedAck = (message: Buffer, capped: boolean): string | undefined => {
    // nlmsghdr(16) error(4) then the echoed request (only its header when capped), then attributes.
    const echoed = capped ? 16 : message.readUInt32LE(20);
    let at = 20 + ((echoed + 3) & ~3);
    while (at + 4 <= message.length) {
      const length = message.readUInt16LE(at);
      if (length < 4) break;
      if ((message.readUInt16LE(at + 2) & 0x3fff) === 1) return message.toString('utf8', at + 4, at + length).replace(/\0+$/, '');
      at += (length + 3) & ~3;
    }
    return undefined;
  };

  const transact = (fd: number, request: Uint8Array): NetlinkReply => {
    const out = Buffer.from(request.buffer, request.byteOffset, request.byteLength);
    const sequence = out.readUInt32LE(8);
    const isDump = (out.readUInt16LE(6) & NLM_F_DUMP) === NLM_F_DUMP && out.readUInt16LE(4) % 4 === 2;
    check('send netlink request', send(fd, out, out.length, 0));
    const messages: { type: number; body: Uint8Array }[] = [];
    for (;;) {
      const size = check('receive netlink reply', recv(fd, inbox, inbox.length, 0));
      for (let at = 0; at + 16 <= size; ) {
        const length = inbox.readUInt32LE(at);
        const type = inbox.readUInt16LE(at + 4);
        const message = inbox.subarray(at, at + length);
        at += (length + 3) & ~3;
        if (message.readUInt32LE(8) !== sequence) continue;
        if (type === 2 || type === 3) {
          const errno = message.length >= 20 ? -message.readInt32LE(16) : 0;
          if (errno > 0) {
            const kernel = type === 2 ? extendedAck(message, (message.readUInt16LE(6) & 0x100) !== 0) : undefined;
            return kernel === undefined ? { errno, messages } : { errno, kernel, messages };
          }
          if (type === 3 || !isDump) return { errno: 0, messages };
        } else {
          messages.push({ type, body: new Uint8Array(message.subarray(16)) });
        }
      }
    }
  };

  const transactAll = (fd: number, requests: readonly Uint8Array[]): NetlinkReply[] => {
    const replies: NetlinkReply[] = [];
    for (const request of requests) {
      const reply = transact(fd, request);
      replies.push(reply);
      if (reply.errno !== 0) break;
    }
    return replies;
  };

  const rtnetlink = (netns: string | undefined, requests: readonly Uint8Array[]): NetlinkReply[] => {
    if (netns === undefined) {
      rootSocket ??= openNetlink();
      try {
        return transactAll(rootSocket, requests);
      } catch (error) {
        // Replies of the failed request may still come: a fresh socket never sees them.
        fs.closeSync(rootSocket);
        rootSocket = undefined;
        throw error;
      }
    }
    // The socket stays in the namespace it was made in; the thread need not.
    const fd = inNetns(netns, openNetlink);
    try {
      return transactAll(fd, requests);
    } finally {
      fs.closeSync(fd);
    }
  };

  const SYS_SETRESUID = process.arch === 'arm64' ? 147 : 117;
  const UNCHANGED = 0xffffffff;
  const becomeAgain = (own: number): void => {
    if (setresuid(SYS_SETRESUID, UNCHANGED, own, UNCHANGED) < 0) throw new Poisoned('become oneself again', koffi.errno());
  };
  /** Capabilities of the initial user namespace go with user id 0 and come back with it. */
  const asUser = (uid: number | undefined, body: () => void): void => {
    if (uid === undefined) {
      body();
      return;
    }
    const own = process.geteuid?.() ?? 0;
    check(`become user ${uid}`, setresuid(SYS_SETRESUID, UNCHANGED, uid, UNCHANGED));
    try {
      body();
    } finally {
      becomeAgain(own);
    }
  };

  const idmapMount = ({ source, target, userns }: Extract<ThreadRequest, { op: 'idmapMount' }>): void => {
    const [HERE, CLONE, CLOEXEC, RECURSIVE, EMPTY_PATH, IDMAP] = [-100, 1, 0o2000000, 0x8000, 0x1000, 0x100000];
    const attributes = Buffer.alloc(32);
    attributes.writeBigUInt64LE(BigInt(IDMAP), 0);
    const users = fs.openSync(userns, 'r');
    let tree = -1;
    try {
      tree = check('open_tree', openTree(428, HERE, source, CLONE | CLOEXEC | RECURSIVE));
      attributes.writeBigUInt64LE(BigInt(users), 24);
      check('mount_setattr', mountSetattr(442, tree, '', EMPTY_PATH, attributes, attributes.length));
      check('move_mount', moveMount(429, tree, '', HERE, target, 4 /* MOVE_MOUNT_F_EMPTY_PATH */));
    } finally {
      fs.closeSync(users);
      if (tree >= 0) fs.closeSync(tree);
    }
  };

  const createNamespaces = (request: Extract<ThreadRequest, { op: 'createNamespaces' }>): void => {
    // A thread can neither make a user namespace nor needs to enter one.
    const entered = request.pins.filter((pin) => pin.kind !== 'user');
    const owner = request.of === undefined ? 'thread-self' : String(request.of);
    for (const pin of entered) homeFd(pin.kind);
    const pinned: string[] = [];
    if (request.of === undefined) check('unshare', unshare(request.flags));
    try {
      for (const { kind, flag } of request.of === undefined ? [] : entered) {
        const fd = fs.openSync(`/proc/${owner}/ns/${kind}`, 'r');
        try {
          check(`enter ${kind} namespace of process ${owner}`, setns(fd, flag));
        } finally {
          fs.closeSync(fd);
        }
      }
      if (request.hostname !== undefined) {
        check('set host name', sethostname(request.hostname, Buffer.byteLength(request.hostname)));
      }
      for (const { path, value, as } of request.sysctls) asUser(as, () => fs.writeFileSync(path, value));
      if (request.messages.length > 0) {
        const fd = openNetlink();
        try {
          for (const reply of transactAll(fd, request.messages)) {
            if (reply.errno !== 0) throw new Refused('set up new network namespace', reply.errno, reply.kernel);
          }
        } finally {
          fs.closeSync(fd);
        }
      }
      for (const { kind, path } of request.pins) {
        fs.closeSync(fs.openSync(path, 'wx', 0o444));
        pinned.push(path);
        check(`pin ${kind} namespace at ${path}`, mount(`/proc/${owner}/ns/${kind}`, path, '', 0x1000, null));
      }
    } catch (error) {
      for (const path of pinned) {
        umount2(path, 2);
        fs.rmSync(path, { force: true });
      }
      throw error;
    } finally {
      for (const pin of entered) leave(pin.kind);
    }
  };

  const handle = (request: ThreadRequest): ThreadReply => {
    switch (request.op) {
      case 'createNamespaces':
        createNamespaces(request);
        return { ok: true };
      case 'rtnetlink':
        return { ok: true, replies: rtnetlink(request.netns, request.messages) };
      case 'mount':
        check('mount', mount(request.source, request.target, request.type, request.flags, request.data));
        return { ok: true };
      case 'idmapMount':
        idmapMount(request);
        return { ok: true };
      case 'umount':
        check('umount', umount2(request.target, request.flags));
        return { ok: true };
      case 'connect': {
        const fd = inNetns(request.netns, () => check('open socket', socket(request.family, 1 | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
        if (connect(fd, Buffer.from(request.address), request.address.length) < 0 && koffi.errno() !== 115 /* EINPROGRESS */) {
          const errno = koffi.errno();
          fs.closeSync(fd);
          throw new Refused('connect', errno);
        }
        // Within one machine the answer is there already; a farther one shows on the socket later.
        const pendingError = Buffer.alloc(4);
        getsockopt(fd, 1 /* SOL_SOCKET */, 4 /* SO_ERROR */, pendingError, [4]);
        if (pendingError.readInt32LE(0) !== 0) {
          fs.closeSync(fd);
          throw new Refused('connect', pendingError.readInt32LE(0));
        }
        return { ok: true, fd };
      }
      case 'readFile':
        return { ok: true, text: inNetns(request.netns, () => fs.readFileSync(request.path, 'utf8')) };
      case 'writeFile':
        inNetns(request.netns, () => fs.writeFileSync(request.path, request.data));
        return { ok: true };
    }
  };

  return (request) => {
    try {
      return handle(request);
    } catch (error) {
      if (error instanceof Poisoned) return { ok: false, operation: error.operation, errno: error.errno, poisoned: true };
      if (error instanceof Refused) {
        return { ok: false, operation: error.operation, errno: error.errno, ...(error.message ? { message: error.message } : {}) };
      }
      const failure = error as NodeJS.ErrnoException;
      return {
        ok: false,
        operation: `${failure.syscall ?? request.op}${failure.path ? ` ${failure.path}` : ''}`,
        errno: typeof failure.errno === 'number' ? -failure.errno : 0,
        message: failure.message,
      };
    }
  };
}
