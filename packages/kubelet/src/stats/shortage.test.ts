import { create } from '@bufbuild/protobuf';
import { ContainerStatsSchema } from '@coxswain/cri';
import { describe, expect, it } from 'vitest';
import { psiOf, shortageOfContainer, shortageOfGroup } from './shortage.js';

const time = '2026-01-01T00:00:00.000Z';
const none = { total: 0, avg10: 0, avg60: 0, avg300: 0 };

describe('swap and pressure of the summary', () => {
  it('say of a container what its runtime says, in the names of the summary', () => {
    const psi = { Some: { Total: 5n, Avg10: 1.5 } };
    const stats = create(ContainerStatsSchema, {
      cpu: { psi },
      swap: { swapUsageBytes: { value: 0n }, swapAvailableBytes: { value: 7n } },
      io: { psi },
    });
    const told = { some: { ...none, total: 5, avg10: 1.5 }, full: none };
    expect(psiOf(stats.cpu?.psi)).toEqual({ psi: told });
    expect(shortageOfContainer(stats, time)).toEqual({ swap: { time, swapAvailableBytes: 7, swapUsageBytes: 0 }, io: { time, psi: told } });
    expect(shortageOfContainer(create(ContainerStatsSchema), time)).toEqual({});
  });
  it('say of a group what the kernel counts, and nothing where it does not', () => {
    const pressure = { some: none, full: none };
    expect(shortageOfGroup({ swap: { usageBytes: 3, limitBytes: 10 }, io: { pressure } }, time)).toEqual({
      swap: { time, swapAvailableBytes: 7, swapUsageBytes: 3 },
      io: { time, psi: pressure },
    });
    expect(shortageOfGroup({ swap: { usageBytes: 3 } }, time)).toEqual({ swap: { time, swapUsageBytes: 3 } });
    expect(shortageOfGroup({}, time)).toEqual({});
  });
});
