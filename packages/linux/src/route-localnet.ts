import { readFile, writeFile } from 'node:fs/promises';
import { readSysctl, writeSysctl } from './namespaces.js';

const NAME = 'net/ipv4/conf/all/route_localnet';

/** Whether packets from 127.0.0.0/8 are routed, which is what ports of nodes need to answer there. Put back as it was found. */
export class RouteLocalnet {
  #before: string | undefined;

  /** @param netns Path of the network namespace; absent: our own. */
  constructor(private readonly netns: string | undefined) {}

  async allow(): Promise<void> {
    const now = this.netns === undefined ? (await readFile(`/proc/sys/${NAME}`, 'utf8')).trim() : await readSysctl(this.netns, NAME);
    if (now === '1') return;
    this.#before ??= now;
    await this.#write('1');
  }

  async restore(): Promise<void> {
    const before = this.#before;
    this.#before = undefined;
    if (before !== undefined) await this.#write(before);
  }

  async #write(value: string): Promise<void> {
    if (this.netns === undefined) await writeFile(`/proc/sys/${NAME}`, value);
    else await writeSysctl(this.netns, NAME, value);
  }
}
