import { chmod, mkdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRpcError } from '@coxswain/cri';
import type { PinnedNamespaces } from '@coxswain/linux';
import type { RuntimeSpec } from '@coxswain/oci';
import { jsonAny, SpecType } from '../containerd/any.js';
import type { Containerd } from '../containerd/client.js';
import { hostElfArch, pauseProgram } from '../elf/programs.js';
import { DEFAULT_DEVICE_RULES } from '../container/devices.js';

export const KIND_LABEL = 'coxswain.dev/kind';
export const SANDBOX_LABEL = 'coxswain.dev/sandbox';
export const RUNC_RUNTIME = 'io.containerd.runc.v2';

/** Annotation by which containerd's shim serves all containers of a pod in one process. */
export const SHIM_GROUP = 'io.kubernetes.cri.sandbox-id';

/** Runs the pause program as the first process of a pod's PID namespace. Its root file system is a folder with that one file. */
export class PauseContainers {
  constructor(
    private readonly containerd: Containerd,
    private readonly rootfs: string,
  ) {}

  /** Writes the program, once per node. */
  async prepare(): Promise<void> {
    await mkdir(this.rootfs, { recursive: true, mode: 0o755 });
    const program = pauseProgram(hostElfArch());
    const path = join(this.rootfs, 'pause');
    if ((await stat(path).catch(() => undefined))?.size === program.length) return;
    // Another server of the same root may be doing the same, or running the old one.
    await writeFile(`${path}.${process.pid}`, program, { mode: 0o755 });
    await chmod(`${path}.${process.pid}`, 0o755);
    await rename(`${path}.${process.pid}`, path);
  }

  /** Returns the pid of the new namespace's first process. */
  async start(sandboxId: string, namespaces: PinnedNamespaces, cgroupsPath: string): Promise<number> {
    const id = pauseId(sandboxId);
    const spec: RuntimeSpec = {
      ociVersion: '1.0.2',
      process: { user: { uid: 65535, gid: 65535 }, args: ['/pause'], env: [], cwd: '/', noNewPrivileges: true, capabilities: {} },
      root: { path: this.rootfs, readonly: true },
      mounts: [{ destination: '/proc', type: 'proc', source: 'proc', options: ['nosuid', 'noexec', 'nodev'] }],
      annotations: { [SHIM_GROUP]: sandboxId },
      linux: {
        namespaces: [
          { type: 'mount' },
          { type: 'pid' },
          ...(namespaces.net ? [{ type: 'network' as const, path: namespaces.net }] : []),
          ...(namespaces.ipc ? [{ type: 'ipc' as const, path: namespaces.ipc }] : []),
          ...(namespaces.uts ? [{ type: 'uts' as const, path: namespaces.uts }] : []),
        ],
        cgroupsPath,
        resources: { devices: [...DEFAULT_DEVICE_RULES], cpu: { shares: 2 } },
      },
    };
    await mkdir(join(this.rootfs, 'proc'), { recursive: true });
    await this.containerd.containers.create({
      container: {
        id,
        labels: { [KIND_LABEL]: 'pause', [SANDBOX_LABEL]: sandboxId },
        runtime: { name: RUNC_RUNTIME },
        spec: jsonAny(SpecType.spec, spec),
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

  /** Kill and forget. Idempotent. */
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
      await tasks.delete({ containerId: id });
    } catch (error) {
      ignoreMissing(error);
    }
    await containers.delete({ id }).then(() => {}, ignoreMissing);
  }
}

/** The pause container's id in containerd. */
export const pauseId = (sandboxId: string) => `pause-${sandboxId.slice(0, 58)}`;
