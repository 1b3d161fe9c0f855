import { closeSync, constants, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { errnoName, linuxError } from './errors.js';
import { koffiPath, loadKoffi } from './native-module.js';

/** A connected AF_UNIX SOCK_SEQPACKET socket, which Node's own sockets cannot be. */
export interface PacketSocket {
  /** One packet; waits while the peer does not read. Rejects when the connection is gone. */
  send(packet: Uint8Array): Promise<void>;
  /** No more packets from us. */
  endSending(): void;
  /** Resolves when the peer has closed, or we have. */
  readonly closed: Promise<void>;
  close(): void;
}

const SOCK_SEQPACKET = 5;
const SOCK_CLOEXEC = 0x80000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const SHUT_WR = 1;
const SHUT_RDWR = 2;

/** Receives on a thread of its own: a packet socket has no place in libuv's loop. Self-contained; see `threadProgram`. */
const RECEIVER = `
  const { parentPort, workerData: { koffi: path, fd } } = require('node:worker_threads');
  const koffi = require(path);
  const recv = koffi.load(null).func('long recv(int fd, _Out_ uint8_t *buf, size_t len, int flags)');
  const buffer = Buffer.alloc(1 << 16);
  for (;;) {
    const size = recv(fd, buffer, buffer.length, 0);
    if (size > 0) { parentPort.postMessage(Uint8Array.from(buffer.subarray(0, size))); continue; }
    if (size < 0 && koffi.errno() === 4) continue;
    break;
  }
`;

/** Connect to a packet socket; packets go to `onPacket` in order. `sleep` paces sending to a slow peer. */
export function connectPacketSocket(path: string, onPacket: (packet: Uint8Array) => void, sleep: (ms: number) => Promise<void>): PacketSocket {
  const koffi = loadKoffi();
  const libc = koffi.load(null);
  const socket = libc.func('int socket(int domain, int type, int protocol)');
  const connect = libc.func('int connect(int fd, const uint8_t *address, uint32_t len)');
  const send = libc.func('long send(int fd, const uint8_t *buf, size_t len, int flags)');
  const shutdown = libc.func('int shutdown(int fd, int how)');
  // A socket's address holds 107 bytes; through the folder's descriptor any path fits.
  const dir = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  let fd: number;
  try {
    const address = Buffer.alloc(110);
    address.writeUInt16LE(1, 0);
    address.write(`/proc/self/fd/${dir}/${basename(path)}`, 2);
    fd = socket(1, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0) throw linuxError('open packet socket', koffi.errno());
    if (connect(fd, address, address.length) < 0) {
      const errno = koffi.errno();
      closeSync(fd);
      throw linuxError(`connect ${path}`, errno);
    }
  } finally {
    closeSync(dir);
  }
  let open = true;
  const worker = new Worker(RECEIVER, {
    eval: true,
    name: 'coxswain-packets',
    workerData: { koffi: koffiPath(), fd },
    execArgv: [],
    trackUnmanagedFds: false,
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 },
  });
  worker.on('message', (packet: Uint8Array) => onPacket(packet));
  worker.on('error', () => {});
  const closed = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      open = false;
      closeSync(fd);
      resolve();
    });
  });
  return {
    async send(packet) {
      for (let wait = 1; ; wait = Math.min(wait * 2, 50)) {
        if (!open) throw new Error(`the connection to ${path} is closed`);
        if (send(fd, packet, packet.length, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return;
        const errno = koffi.errno();
        if (errnoName(errno) !== 'EAGAIN') throw linuxError(`send to ${path}`, errno);
        await sleep(wait);
      }
    },
    endSending() {
      if (open) shutdown(fd, SHUT_WR);
    },
    closed,
    close() {
      if (open) shutdown(fd, SHUT_RDWR);
    },
  };
}
