import { Socket } from 'node:net';
import { ipToBytes } from './ip.js';
import { AF_INET, AF_INET6 } from './netlink/rtnetlink.js';
import { type SyscallThread, sharedThread } from './syscall-thread.js';

/**
 * A TCP connection made from inside a network namespace (`kubectl port-forward` to a pod's 127.0.0.1), without a process.
 * The returned socket is an ordinary one; the namespace it was made in sticks to it. A refused connection rejects.
 */
export async function connectInNamespace(
  options: { readonly netns?: string; readonly host: string; readonly port: number; readonly allowHalfOpen?: boolean },
  thread: SyscallThread = sharedThread(),
): Promise<Socket> {
  const bytes = ipToBytes(options.host);
  const address = Buffer.alloc(bytes.length === 4 ? 16 : 28);
  address.writeUInt16LE(bytes.length === 4 ? AF_INET : AF_INET6, 0);
  address.writeUInt16BE(options.port, 2);
  address.set(bytes, bytes.length === 4 ? 4 : 8);
  const { fd } = await thread.run({
    op: 'connect',
    family: bytes.length === 4 ? AF_INET : AF_INET6,
    address,
    ...(options.netns === undefined ? {} : { netns: options.netns }),
  });
  if (fd === undefined) throw new Error('connect: no descriptor');
  return new Socket({ fd, readable: true, writable: true, allowHalfOpen: options.allowHalfOpen ?? true });
}
