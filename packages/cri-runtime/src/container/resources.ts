import type { LinuxContainerResources } from '@coxswain/cri';
import { Cgroup, type CgroupLayout } from '@coxswain/linux';
import type { RuntimeSpec, SpecResources } from '@coxswain/oci';

/** CRI resources in the runtime specification's terms; zero means "not given". Pure. */
export function specResources(resources: LinuxContainerResources | undefined, features: { readonly hugetlb: boolean; readonly swap: boolean }): SpecResources {
  if (!resources) return {};
  const out: SpecResources = {};
  const cpu: NonNullable<SpecResources['cpu']> = {};
  if (resources.cpuShares) cpu.shares = Number(resources.cpuShares);
  if (resources.cpuQuota) cpu.quota = Number(resources.cpuQuota);
  if (resources.cpuPeriod) cpu.period = Number(resources.cpuPeriod);
  if (resources.cpusetCpus) cpu.cpus = resources.cpusetCpus;
  if (resources.cpusetMems) cpu.mems = resources.cpusetMems;
  if (Object.keys(cpu).length > 0) out.cpu = cpu;
  if (resources.memoryLimitInBytes) {
    const limit = Number(resources.memoryLimitInBytes);
    // Swap equal to the limit means no swap; a kernel without swap accounting refuses the setting.
    const swap = resources.memorySwapLimitInBytes ? Number(resources.memorySwapLimitInBytes) : limit;
    out.memory = { limit, ...(features.swap ? { swap } : {}) };
  }
  if (resources.hugepageLimits.length > 0 && features.hugetlb) {
    out.hugepageLimits = resources.hugepageLimits.map((h) => ({ pageSize: h.pageSize, limit: Number(h.limit) }));
  }
  if (Object.keys(resources.unified).length > 0) out.unified = { ...resources.unified };
  return out;
}

/** What a container starts with: a new group has no CPU limit, and crun 1.8 cannot write "none" to cgroup v1. Pure. */
export function initialResources(resources: SpecResources): SpecResources {
  if (resources.cpu?.quota === undefined || resources.cpu.quota >= 0) return resources;
  const { quota: _none, ...cpu } = resources.cpu;
  return { ...resources, cpu };
}

/** A specification with other limits; the devices stay as they are. Pure. */
export function specWithLimits(spec: RuntimeSpec, resources: SpecResources): RuntimeSpec {
  if (!spec.linux) return spec;
  const devices = spec.linux.resources?.devices;
  return { ...spec, linux: { ...spec.linux, resources: { ...(devices ? { devices } : {}), ...initialResources(resources) } } };
}

/** Changes a running container's resources; "no CPU limit" is written here, for the reason above, the rest by the runtime (`apply`). */
export async function changeResources(
  resources: SpecResources,
  group: { readonly path: string; readonly layout: CgroupLayout },
  apply: (resources: SpecResources) => Promise<void>,
): Promise<void> {
  const { quota, period, ...rest } = resources.cpu ?? {};
  if (quota === undefined || quota >= 0) return apply(resources);
  const cgroup = await Cgroup.at(group.path, group.layout);
  await cgroup.setLimits({ cpuQuotaMicros: -1, ...(period === undefined ? {} : { cpuPeriodMicros: period }) });
  await apply({ ...resources, cpu: rest });
}

/** New values over old ones, field by field, as UpdateContainerResources means them. Pure. */
export function mergeResources(old: LinuxContainerResources | undefined, update: LinuxContainerResources): LinuxContainerResources {
  if (!old) return update;
  const pick = <T>(a: T, b: T): T => (b === 0n || b === '' ? a : b);
  return {
    ...old,
    cpuPeriod: pick(old.cpuPeriod, update.cpuPeriod),
    cpuQuota: pick(old.cpuQuota, update.cpuQuota),
    cpuShares: pick(old.cpuShares, update.cpuShares),
    memoryLimitInBytes: pick(old.memoryLimitInBytes, update.memoryLimitInBytes),
    memorySwapLimitInBytes: pick(old.memorySwapLimitInBytes, update.memorySwapLimitInBytes),
    oomScoreAdj: pick(old.oomScoreAdj, update.oomScoreAdj),
    cpusetCpus: pick(old.cpusetCpus, update.cpusetCpus),
    cpusetMems: pick(old.cpusetMems, update.cpusetMems),
    hugepageLimits: update.hugepageLimits.length > 0 ? update.hugepageLimits : old.hugepageLimits,
    unified: { ...old.unified, ...update.unified },
  };
}
