import type { ContainerStats } from '@coxswain/cri';
import type { CgroupStats, Pressure } from '@coxswain/linux';

/** How long tasks waited for a resource; absent where the kernel does not tell. */
export interface WithPressure {
  readonly psi?: Pressure;
}

export interface SwapStats {
  readonly time: string;
  readonly swapAvailableBytes?: number;
  readonly swapUsageBytes?: number;
}

/** What is said beside CPU and memory of a container, a pod or the node. */
export interface Shortage {
  readonly swap?: SwapStats;
  readonly io?: { readonly time: string } & WithPressure;
}

type CriPsi = NonNullable<ContainerStats['cpu']>['psi'];
type CriPsiLine = NonNullable<CriPsi>['Some'];

/** The kernel's numbers, as the runtime passes them on. */
export function psiOf(psi: CriPsi): WithPressure {
  const line = (data: CriPsiLine) => ({ total: Number(data?.Total ?? 0n), avg10: data?.Avg10 ?? 0, avg60: data?.Avg60 ?? 0, avg300: data?.Avg300 ?? 0 });
  return psi ? { psi: { some: line(psi.Some), full: line(psi.Full) } } : {};
}

export const pressureOf = (pressure: Pressure | undefined): WithPressure => (pressure ? { psi: pressure } : {});

export function shortageOfContainer({ swap, io }: Pick<ContainerStats, 'swap' | 'io'>, time: string): Shortage {
  const { swapAvailableBytes: available, swapUsageBytes: usage } = swap ?? {};
  return {
    ...(usage ? { swap: { time, ...(available ? { swapAvailableBytes: Number(available.value) } : {}), swapUsageBytes: Number(usage.value) } } : {}),
    ...(io?.psi ? { io: { time, ...psiOf(io.psi) } } : {}),
  };
}

export function shortageOfGroup({ swap, io }: Pick<CgroupStats, 'swap' | 'io'>, time: string): Shortage {
  return {
    ...(swap
      ? {
          swap: {
            time,
            ...(swap.limitBytes === undefined ? {} : { swapAvailableBytes: Math.max(0, swap.limitBytes - swap.usageBytes) }),
            swapUsageBytes: swap.usageBytes,
          },
        }
      : {}),
    ...(io ? { io: { time, psi: io.pressure } } : {}),
  };
}
