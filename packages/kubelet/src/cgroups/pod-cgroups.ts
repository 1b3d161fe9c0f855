import { Cgroup, type CgroupLayout, detectCgroups } from '@coxswain/linux';
import type { Pod } from '@coxswain/api';
import type { Clock } from '@coxswain/sdk';
import type { NodeCgroupLimits } from './node-cgroup-limits.js';
import { podCgroupLimits, podCgroupPath, podCgroupPathOf, podRequest, type ResourceOptions, sharesOf } from '../pod/resources.js';
import type { QosClass } from '../pod/qos.js';
import { qosClass } from '../pod/qos.js';

/** The groups around pods: /kubepods, one per quality class, one per pod; the cgroupfs driver's layout. */
export class PodCgroups {
  readonly #made = new Map<string, string>();
  #layout: CgroupLayout | undefined;
  #burstable = 0;

  constructor(
    /** `/` or a group of this node's own, so that several nodes share a machine. */
    readonly root: string,
    private readonly resources: ResourceOptions,
    private readonly clock: Clock,
  ) {}

  /** Makes the upper groups. Rejects when the machine offers no cgroups. */
  async start(node: NodeCgroupLimits): Promise<void> {
    this.#layout = await detectCgroups();
    const base = `${this.root === '/' ? '' : this.root}/kubepods`;
    await (await this.#at(base)).create();
    await (await this.#at(base)).setLimits(node.pods);
    for (const { path, limits } of node.reserved) {
      const group = await this.#at(path);
      if (!(await group.exists())) throw new Error(`the cgroup ${path} that reserved resources are enforced on does not exist: make it first`);
      await group.setLimits(limits);
    }
    for (const qos of ['besteffort', 'burstable']) await (await this.#at(`${base}/${qos}`)).create();
    await (await this.#at(`${base}/besteffort`)).setLimits({ cpuShares: 2 });
  }

  /** Makes the pod's group with its limits. Idempotent. */
  async ensure(pod: Pod): Promise<void> {
    const path = podCgroupPath(this.root, pod);
    const limits = podCgroupLimits(pod, this.resources);
    const key = JSON.stringify(limits);
    if (this.#made.get(path) === key) return;
    const group = await this.#at(path);
    await group.create();
    await group.setLimits(limits);
    this.#made.set(path, key);
  }

  /** Weight of the Burstable class: what its pods request together. */
  async balance(pods: readonly Pod[]): Promise<void> {
    const milli = pods.filter((p) => qosClass(p) === 'Burstable').reduce((sum, p) => sum + Math.ceil(podRequest(p, 'cpu') * 1000), 0);
    const cpuShares = sharesOf(milli);
    if (cpuShares === this.#burstable) return;
    this.#burstable = cpuShares;
    const base = `${this.root === '/' ? '' : this.root}/kubepods`;
    await (await this.#at(`${base}/burstable`)).setLimits({ cpuShares });
  }

  /** Kills what is left in a pod's groups and removes them, whichever class it was. */
  async remove(uid: string): Promise<void> {
    for (const qos of ['Guaranteed', 'Burstable', 'BestEffort'] satisfies QosClass[]) {
      const path = podCgroupPathOf(this.root, qos, uid);
      this.#made.delete(path);
      const group = await this.#at(path);
      if (!(await group.exists())) continue;
      await group.clear((ms) => this.clock.sleep(ms));
    }
  }

  async stats(pod: Pod) {
    const group = await this.#at(podCgroupPath(this.root, pod));
    return (await group.exists()) ? group.stats() : undefined;
  }

  async nodeStats() {
    return (await this.#at('/')).stats();
  }

  #at(path: string): Promise<Cgroup> {
    return Cgroup.at(path, this.#layout);
  }
}
