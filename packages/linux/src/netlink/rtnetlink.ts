import { linuxError } from '../errors.js';
import { type SyscallThread, sharedThread } from '../syscall-thread.js';
import type { NetlinkReply } from '../thread-program.js';

// linux/rtnetlink.h
export const RTM = {
  NEWLINK: 16,
  DELLINK: 17,
  GETLINK: 18,
  SETLINK: 19,
  NEWADDR: 20,
  DELADDR: 21,
  GETADDR: 22,
  NEWROUTE: 24,
  DELROUTE: 25,
  GETROUTE: 26,
  NEWNEIGH: 28,
  DELNEIGH: 29,
  GETNEIGH: 30,
} as const;

export const AF_UNSPEC = 0;
export const AF_INET = 2;
export const AF_BRIDGE = 7;
export const AF_INET6 = 10;

/** A way to rtnetlink of one network namespace. */
export class Rtnetlink {
  constructor(
    /** Path of the network namespace; absent: the process's own. */
    readonly netns?: string,
    private readonly thread: SyscallThread = sharedThread(),
  ) {}

  /** Sends one message; rejects with the typed `LinuxError` of the kernel's refusal. */
  async request(operation: string, message: Uint8Array): Promise<NetlinkReply['messages']> {
    const [reply] = await this.batch([{ operation, message }]);
    return reply ?? [];
  }

  /** Sends messages one after the other in one visit to the thread, up to the first refusal, which is thrown. */
  async batch(requests: readonly { readonly operation: string; readonly message: Uint8Array }[]): Promise<NetlinkReply['messages'][]> {
    if (requests.length === 0) return [];
    const messages = requests.map((r) => r.message);
    const { replies = [] } = await this.thread.run({ op: 'rtnetlink', messages, ...(this.netns === undefined ? {} : { netns: this.netns }) });
    for (const [i, reply] of replies.entries()) {
      if (reply.errno !== 0) throw linuxError(requests[i]?.operation ?? 'rtnetlink', reply.errno, reply.kernel);
    }
    return replies.map((reply) => reply.messages);
  }
}
