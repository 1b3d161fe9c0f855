import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pauseId, type PauseRunner, pauseSpec, type SandboxRecord, writeJson, writePauseRootfs } from '@coxswain/cri-runtime';
import { type ConmonDirs, createWatched, monitorName } from './conmon.js';
import type { Runtimes } from './oci-runtime.js';

/** Runs the pause program by the sandbox's runtime, under a conmon: its end is seen like any other. */
export class CrioPause implements PauseRunner {
  constructor(
    private readonly runtimes: Runtimes,
    private readonly conmon: ConmonDirs,
    private readonly rootfs: string,
    private readonly stateDir: string,
  ) {}

  prepare(): Promise<void> {
    return writePauseRootfs(this.rootfs);
  }

  async start(sandbox: SandboxRecord, cgroupsPath: string): Promise<number> {
    const id = pauseId(sandbox.id);
    const runtime = this.runtimes.require(sandbox.runtimeHandler);
    const bundle = join(this.stateDir, id);
    await mkdir(bundle, { recursive: true, mode: 0o700 });
    await writeJson(join(bundle, 'config.json'), pauseSpec(this.rootfs, sandbox, cgroupsPath));
    const { process } = await createWatched(this.conmon, { id, runtime, bundle, logPath: '', tty: false, stdin: false, stdinOnce: false });
    await runtime.start(id);
    return process.pid;
  }

  async remove(sandboxId: string): Promise<void> {
    const id = pauseId(sandboxId);
    for (const handler of this.runtimes.handlers) {
      const runtime = this.runtimes.require(handler);
      if (await stat(join(runtime.root, id)).catch(() => undefined)) await runtime.delete(id);
    }
    await Promise.all([
      rm(join(this.stateDir, id), { recursive: true, force: true }),
      rm(join(this.conmon.exits, id), { force: true }),
      rm(join(this.conmon.sockets, monitorName(id)), { force: true }),
    ]);
  }
}
