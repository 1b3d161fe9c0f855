import { CgroupDriver, isRpcError, type RuntimeServiceClient } from '@coxswain/cri';

/**
 * Whether the container runtime makes cgroups as this kubelet does, by their folders (cgroupfs). The runtime knows; one too old to tell is taken
 * to do what the configuration says. Rejects when systemd makes them: pods would be in other groups than their containers.
 */
export async function checkCgroupDriver(runtime: RuntimeServiceClient, configured: 'cgroupfs' | 'systemd', signal: AbortSignal): Promise<void> {
  const told = await runtime.runtimeConfig({}, { signal, timeoutMs: 10_000 }).catch((error: unknown) => {
    if (isRpcError(error, 'unimplemented')) return undefined;
    throw error;
  });
  if (told?.linux) {
    if (told.linux.cgroupDriver === CgroupDriver.SYSTEMD)
      throw new Error(
        'the container runtime uses the systemd cgroup driver, this kubelet cgroupfs: set the runtime to cgroupfs (containerd: SystemdCgroup = false)',
      );
    return;
  }
  if (configured === 'systemd')
    throw new Error(
      'cgroupDriver: systemd: this kubelet makes cgroups itself, and the container runtime does not tell which driver it uses: set both to cgroupfs (containerd: SystemdCgroup = false)',
    );
}
