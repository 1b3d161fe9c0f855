import { NotFoundError } from './errors.js';
import { deleteGroupMessage, deleteLinkMessage, setGroupMessage } from './netlink/link-messages.js';
import { Rtnetlink } from './netlink/rtnetlink.js';
import type { SyscallThread } from './syscall-thread.js';

// Marks links that are about to go; the number only has to differ from groups an administrator would use.
const FIRST_GROUP = 0x636f7800;

/**
 * Removes links of one namespace. The kernel makes the one who removes a link wait tens of milliseconds until every CPU
 * has forgotten it, so this happens on a thread of its own, and those that come meanwhile go together in one step.
 */
export class LinkReaper {
  private waiting: { readonly index: number; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  private running = false;
  private round = 0;

  constructor(private readonly rtnl: Rtnetlink) {}

  delete(index: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ index, resolve, reject });
      if (!this.running) void this.run();
    });
  }

  private async run(): Promise<void> {
    this.running = true;
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      const [only] = batch;
      if (batch.length === 1 && only) {
        await this.rtnl.request(`delete link ${only.index}`, deleteLinkMessage(only.index)).then(only.resolve, only.reject);
      } else await this.together(batch);
    }
    this.running = false;
  }

  private async together(batch: typeof this.waiting): Promise<void> {
    const group = FIRST_GROUP + (this.round++ & 0xff);
    const marked = await Promise.all(
      batch.map((job) =>
        this.rtnl.request(`delete link ${job.index}`, setGroupMessage(job.index, group)).then(
          () => [job],
          (error) => {
            job.reject(error);
            return [];
          },
        ),
      ),
    );
    const jobs = marked.flat();
    if (jobs.length === 0) return;
    try {
      await this.rtnl.request('delete links', deleteGroupMessage(group));
    } catch (error) {
      // None left: their other ends, or their namespace, took them along.
      if (!(error instanceof NotFoundError)) {
        for (const job of jobs) job.reject(error);
        return;
      }
    }
    for (const job of jobs) job.resolve();
  }
}

const reapers = new WeakMap<SyscallThread, LinkReaper>();

/** The reaper of a namespace; for our own, one for all who use the thread. */
export function linkReaper(thread: SyscallThread, netns: string | undefined): LinkReaper {
  const slow = thread.slow?.() ?? thread;
  // Only our own namespace lives as long as the process: the others' reapers must not pile up.
  if (netns !== undefined) return new LinkReaper(new Rtnetlink(netns, slow));
  let reaper = reapers.get(thread);
  if (!reaper) {
    reaper = new LinkReaper(new Rtnetlink(undefined, slow));
    reapers.set(thread, reaper);
  }
  return reaper;
}
