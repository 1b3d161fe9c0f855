import type { Pod } from '@coxswain/api';
import type { RuntimeServiceClient } from '@coxswain/cri';
import type { Pleg } from '../runtime/pleg.js';
import type { ObservedPod } from '../pod/observed.js';
import { podContainers, podId } from '../pod/pod-spec.js';
import { containerResources, type ResourceOptions } from '../pod/resources.js';

export interface ResizeDeps {
  readonly cri: RuntimeServiceClient;
  readonly pleg: Pleg;
  readonly resourceOptions: ResourceOptions;
  /** Stops a container whose resize policy asks for a restart; it starts again by the ordinary way. */
  readonly restartForResize: (pod: Pod, containerId: string, name: string) => Promise<void>;
}

/** Gives running containers the resources the spec asks for now (in-place resize). Returns whether it changed any. */
export async function applyResize(pod: Pod, observed: ObservedPod, tried: Map<string, string>, deps: ResizeDeps): Promise<boolean> {
  let changed = false;
  for (const { container, kind } of podContainers(pod)) {
    if (kind === 'ephemeral' || kind === 'init') continue;
    const running = observed.containers.find((c) => c.name === container.name && c.phase === 'running');
    const now = running?.resources;
    // Runtimes that do not report resources cannot be compared with.
    if (!running || !now?.cpuShares) continue;
    const want = containerResources(pod, container, deps.resourceOptions);
    const quota = now.cpuQuota ?? 0;
    const sameCpu = now.cpuShares === want.cpuShares && (quota === want.cpuQuota || (quota <= 0 && want.cpuQuota <= 0));
    const sameMemory = (now.memoryLimit ?? 0) === want.memoryLimit || want.memoryLimit === 0;
    if (sameCpu && sameMemory) continue;
    // A runtime that rounds would be asked again and again.
    const key = JSON.stringify(want);
    if (tried.get(running.id) === key) continue;
    tried.set(running.id, key);
    changed = true;
    const policy = (resource: string) => container.resizePolicy?.find((p) => p.resourceName === resource)?.restartPolicy;
    if ((!sameCpu && policy('cpu') === 'RestartContainer') || (!sameMemory && policy('memory') === 'RestartContainer')) {
      await deps.restartForResize(pod, running.id, container.name);
      continue;
    }
    await deps.cri.updateContainerResources({
      containerId: running.id,
      linux: {
        cpuShares: BigInt(want.cpuShares),
        cpuQuota: BigInt(want.cpuQuota),
        cpuPeriod: BigInt(want.cpuPeriod),
        memoryLimitInBytes: BigInt(want.memoryLimit),
        oomScoreAdj: BigInt(want.oomScoreAdj),
      },
    });
    await deps.pleg.observeContainer(podId(pod), running.id, running.sandboxId);
  }
  return changed;
}
