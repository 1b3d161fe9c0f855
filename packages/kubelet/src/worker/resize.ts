import type { Container, Pod } from '@coxswain/api';
import type { RuntimeServiceClient } from '@coxswain/cri';
import type { Pleg } from '../runtime/pleg.js';
import type { ObservedContainer, ObservedPod } from '../pod/observed.js';
import { podContainers, podId } from '../pod/pod-spec.js';
import { containerResources, type LinuxResources, type ResourceOptions } from '../pod/resources.js';
import { runtimeErrorText } from '../runtime-errors.js';

export interface ResizeDeps {
  readonly cri: RuntimeServiceClient;
  readonly pleg: Pleg;
  readonly resourceOptions: ResourceOptions;
  /** Stops a container whose resize policy asks for a restart; it starts again by the ordinary way. */
  readonly restartForResize: (pod: Pod, containerId: string, name: string) => Promise<void>;
}

interface Change {
  readonly ref: Container;
  readonly running: ObservedContainer;
  readonly want: LinuxResources;
  readonly restart: boolean;
}

/** Running containers whose resources are not what the spec asks for now, but for those that were tried. */
function changesOf(pod: Pod, observed: ObservedPod, tried: ReadonlyMap<string, string>, options: ResourceOptions): Change[] {
  return podContainers(pod).flatMap(({ container, kind }): Change[] => {
    if (kind === 'ephemeral' || kind === 'init') return [];
    const running = observed.containers.find((c) => c.name === container.name && c.phase === 'running');
    const now = running?.resources;
    // Runtimes that do not report resources cannot be compared with.
    if (!running || !now?.cpuShares) return [];
    const want = containerResources(pod, container, options);
    const quota = now.cpuQuota ?? 0;
    const sameCpu = now.cpuShares === want.cpuShares && (quota === want.cpuQuota || (quota <= 0 && want.cpuQuota <= 0));
    const sameMemory = (now.memoryLimit ?? 0) === want.memoryLimit || want.memoryLimit === 0;
    // A runtime that rounds would be asked again and again.
    if ((sameCpu && sameMemory) || tried.get(running.id) === JSON.stringify(want)) return [];
    const restarts = (resource: string) => container.resizePolicy?.find((p) => p.resourceName === resource)?.restartPolicy === 'RestartContainer';
    return [{ ref: container, running, want, restart: (!sameCpu && restarts('cpu')) || (!sameMemory && restarts('memory')) }];
  });
}

/** Whether a running pod was asked to use other resources. */
export function wantsResize(pod: Pod, observed: ObservedPod, tried: ReadonlyMap<string, string>, options: ResourceOptions): boolean {
  return changesOf(pod, observed, tried, options).length > 0;
}

/** Gives running containers the resources the spec asks for now (in-place resize). Returns whether it changed any, and what was refused. */
export async function applyResize(
  pod: Pod,
  observed: ObservedPod,
  tried: Map<string, string>,
  deps: ResizeDeps,
): Promise<{ readonly changed: boolean; readonly refused?: string }> {
  const changes = changesOf(pod, observed, tried, deps.resourceOptions);
  let refused: string | undefined;
  for (const { ref, running, want, restart } of changes) {
    tried.set(running.id, JSON.stringify(want));
    if (restart) {
      await deps.restartForResize(pod, running.id, ref.name);
      continue;
    }
    try {
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
    } catch (error) {
      refused ??= `container ${ref.name}: ${runtimeErrorText(error)}`;
      continue;
    }
    await deps.pleg.observeContainer(podId(pod), running.id, running.sandboxId);
  }
  return { changed: changes.length > 0, ...(refused !== undefined ? { refused } : {}) };
}
