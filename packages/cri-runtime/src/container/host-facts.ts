import { access, readFile } from 'node:fs/promises';
import { type CgroupLayout, detectCgroups } from '@coxswain/linux';
import { capabilitiesOfMask } from './capabilities.js';

/** What this machine allows; looked up once. */
export interface HostFacts {
  readonly cgroups: CgroupLayout;
  readonly capabilities: readonly string[];
  readonly seccomp: boolean;
  readonly appArmor: boolean;
  readonly hugetlb: boolean;
  readonly swapAccounting: boolean;
  /** Linux 5.12: recursive read-only bind mounts. */
  readonly recursiveReadOnly: boolean;
}

export async function hostFacts(): Promise<HostFacts> {
  const exists = (path: string) =>
    access(path).then(
      () => true,
      () => false,
    );
  const cgroups = await detectCgroups();
  const status = await readFile('/proc/self/status', 'utf8');
  const memory = cgroups.version === 1 ? cgroups.controllers.get('memory') : undefined;
  const release = (await readFile('/proc/sys/kernel/osrelease', 'utf8')).split('.').map((n) => Number.parseInt(n, 10));
  return {
    cgroups,
    capabilities: capabilitiesOfMask(BigInt(`0x${/^CapBnd:\s+(\w+)/m.exec(status)?.[1] ?? '0'}`)),
    seccomp: /^Seccomp:/m.test(status),
    appArmor:
      (await readFile('/sys/module/apparmor/parameters/enabled', 'utf8').catch(() => 'N')).startsWith('Y') && (await exists('/sys/kernel/security/apparmor')),
    hugetlb: cgroups.version === 1 ? cgroups.controllers.has('hugetlb') : (await readFile(`${cgroups.root}/cgroup.controllers`, 'utf8')).includes('hugetlb'),
    swapAccounting: memory ? await exists(`${memory}/memory.memsw.limit_in_bytes`) : cgroups.version === 2,
    recursiveReadOnly: (release[0] ?? 0) > 5 || (release[0] === 5 && (release[1] ?? 0) >= 12),
  };
}
