import { isRpcError } from '@coxswain/cri';
import { pauseId, type PauseRunner, pauseSpec, type SandboxRecord, writePauseRootfs } from '@coxswain/cri-runtime';
import { jsonAny, SpecType } from '../containerd/any.js';
import type { Containerd } from '../containerd/client.js';
import type { ShimRuntimes } from '../containerd/shim-runtimes.js';

export const KIND_LABEL = 'coxswain.dev/kind';
export const SANDBOX_LABEL = 'coxswain.dev/sandbox';

/** Annotation by which containerd's shim serves all containers of a pod in one process. */
export const SHIM_GROUP = 'io.kubernetes.cri.sandbox-id';

/** Runs the pause program as a containerd task. */
export class PauseContainers implements PauseRunner {
  constructor(
    private readonly containerd: Containerd,
    private readonly runtimes: ShimRuntimes,
    private readonly rootfs: string,
  ) {}

  /** Writes the program, once per node. */
  prepare(): Promise<void> {
    return writePauseRootfs(this.rootfs);
  }

  async start(sandbox: SandboxRecord, cgroupsPath: string): Promise<number> {
    const id = pauseId(sandbox.id);
    await this.containerd.containers.create({
      container: {
        id,
        labels: { [KIND_LABEL]: 'pause', [SANDBOX_LABEL]: sandbox.id },
        runtime: this.runtimes.require(sandbox.runtimeHandler).info(),
        spec: jsonAny(SpecType.spec, pauseSpec(this.rootfs, sandbox, cgroupsPath, { [SHIM_GROUP]: sandbox.id })),
        image: '',
        snapshotter: '',
        snapshotKey: '',
        extensions: {},
      },
    });
    const { pid } = await this.containerd.tasks.create({ containerId: id });
    await this.containerd.tasks.start({ containerId: id });
    return pid;
  }

  async remove(sandboxId: string): Promise<void> {
    const id = pauseId(sandboxId);
    const { tasks, containers } = this.containerd;
    const ignoreMissing = (error: unknown) => {
      if (!isRpcError(error, 'notFound')) throw error;
    };
    try {
      await tasks.get({ containerId: id });
      const exited = tasks.wait({ containerId: id }, { timeoutMs: 10_000 }).then(
        () => {},
        () => {},
      );
      await tasks.kill({ containerId: id, signal: 9, all: true }).catch(() => {});
      await exited;
    } catch (error) {
      ignoreMissing(error);
    }
    // Also when there is no task: its shim may be there all the same.
    await tasks.delete({ containerId: id }).then(() => {}, ignoreMissing);
    await containers.delete({ id }).then(() => {}, ignoreMissing);
  }
}
