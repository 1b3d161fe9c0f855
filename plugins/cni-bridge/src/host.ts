import { readFileSync, writeFileSync } from 'node:fs';
import { Network, type NftOptions, NotFoundError, readSysctl, type SyscallThread, writeSysctl } from '@coxswain/linux';

/** The network namespace that plays the host: our own, or a node's when several nodes share a machine and a process. */
export interface HostOptions {
  /** Path; absent: our own. */
  readonly hostNetns?: string;
  readonly thread?: SyscallThread;
}

export class Host {
  readonly network: Network;
  readonly nft: NftOptions;
  constructor(private readonly options: HostOptions = {}) {
    this.network = this.inside(options.hostNetns);
    this.nft = options.hostNetns === undefined ? {} : { netns: options.hostNetns };
  }

  /** Links of another namespace, through the same thread. */
  inside(netns: string | undefined): Network {
    return new Network({ ...(netns === undefined ? {} : { netns }), ...(this.options.thread ? { thread: this.options.thread } : {}) });
  }

  /** `net/ipv4/ip_forward` */
  async sysctl(path: string, value: string): Promise<void> {
    if (this.options.hostNetns === undefined) writeFileSync(`/proc/sys/${path}`, value);
    else await writeSysctl(this.options.hostNetns, path, value, this.options.thread);
  }

  async readSysctl(path: string): Promise<string | undefined> {
    try {
      if (this.options.hostNetns === undefined) return readFileSync(`/proc/sys/${path}`, 'utf8').trim();
      return await readSysctl(this.options.hostNetns, path, this.options.thread);
    } catch (error) {
      if (error instanceof NotFoundError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}
