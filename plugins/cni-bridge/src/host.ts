import { Network, type NftOptions, readSysctl, type SyscallThread, writeSysctl } from '@coxswain/linux';

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
  sysctl(path: string, value: string): Promise<void> {
    return writeSysctl(this.options.hostNetns, path, value, this.options.thread);
  }

  readSysctl(path: string): Promise<string | undefined> {
    return readSysctl(this.options.hostNetns, path, this.options.thread);
  }
}
