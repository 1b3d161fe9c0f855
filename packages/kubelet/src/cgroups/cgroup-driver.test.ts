import { CgroupDriver, RpcError, type RuntimeServiceClient } from '@coxswain/cri';
import { describe, expect, it } from 'vitest';
import { checkCgroupDriver } from './cgroup-driver.js';

const runtime = (answer: () => object) => ({ runtimeConfig: async () => answer() }) as unknown as RuntimeServiceClient;
const signal = new AbortController().signal;

describe('the cgroup driver', () => {
  it('is what the runtime says, whatever the configuration says', async () => {
    const cgroupfs = runtime(() => ({ linux: { cgroupDriver: CgroupDriver.CGROUPFS } }));
    await expect(checkCgroupDriver(cgroupfs, 'systemd', signal)).resolves.toBeUndefined();
    const systemd = runtime(() => ({ linux: { cgroupDriver: CgroupDriver.SYSTEMD } }));
    await expect(checkCgroupDriver(systemd, 'cgroupfs', signal)).rejects.toThrow('the container runtime uses the systemd cgroup driver');
  });

  it('is the configured one when the runtime does not tell', async () => {
    const silent = runtime(() => {
      throw new RpcError('unimplemented', 'unknown method RuntimeConfig');
    });
    await expect(checkCgroupDriver(silent, 'cgroupfs', signal)).resolves.toBeUndefined();
    await expect(checkCgroupDriver(silent, 'systemd', signal)).rejects.toThrow('cgroupDriver: systemd');
  });
});
