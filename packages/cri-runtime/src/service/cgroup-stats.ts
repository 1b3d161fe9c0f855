import { Cgroup, type CgroupStats } from '@coxswain/linux';
import type { HostFacts } from '../container/host-facts.js';

/** What a control group used; undefined: it is not there (any more), since what it was for has ended. */
export async function cgroupStats(path: string, cgroups: HostFacts['cgroups']): Promise<CgroupStats | undefined> {
  try {
    const group = await Cgroup.at(path, cgroups);
    return (await group.exists()) ? await group.stats() : undefined;
  } catch {
    return undefined;
  }
}
