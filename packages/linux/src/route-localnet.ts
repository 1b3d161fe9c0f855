import { readSysctl, writeSysctl } from './sysctl.js';

const NAME = 'net/ipv4/conf/all/route_localnet';

/** Whether packets from 127.0.0.0/8 are routed, which is what ports of nodes need to answer there. Put back as it was found. */
export class RouteLocalnet {
  #before: string | undefined;

  /** @param netns Path of the network namespace; absent: our own. */
  constructor(private readonly netns: string | undefined) {}

  async allow(): Promise<void> {
    const now = await readSysctl(this.netns, NAME);
    if (now === '1') return;
    this.#before ??= now;
    await writeSysctl(this.netns, NAME, '1');
  }

  async restore(): Promise<void> {
    const before = this.#before;
    this.#before = undefined;
    if (before !== undefined) await writeSysctl(this.netns, NAME, before);
  }
}
