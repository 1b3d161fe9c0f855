import type { Duplex } from 'node:stream';
import type { AttachRequest, CommandOutcome, ExecRequest, StreamingHandler, StreamSession } from '@coxswain/cri';
import { connectInNamespace } from '@coxswain/linux';
import type { ContainerManager } from '../container/container-manager.js';
import type { ContainerRecord } from '../container/container-record.js';
import type { ExecRunner } from '../container/exec.js';
import type { SandboxManager } from '../sandbox/sandbox-manager.js';

export interface StreamingDeps {
  readonly containers: ContainerManager;
  readonly sandboxes: SandboxManager;
  readonly exec: ExecRunner;
  /** Connect a session with a running container's own streams until either ends. */
  readonly attach: (container: ContainerRecord, session: StreamSession) => Promise<CommandOutcome>;
}

/** Exec, attach and port-forward for the streaming server. */
export class RuntimeStreaming implements StreamingHandler {
  constructor(private readonly deps: StreamingDeps) {}

  async exec(request: ExecRequest, session: StreamSession): Promise<CommandOutcome> {
    const record = this.deps.containers.requireRunning(request.containerId);
    const code = await this.deps.exec.run(record.meta.id, {
      cmd: request.cmd,
      tty: session.tty,
      ...(session.stdin ? { stdin: session.stdin } : {}),
      ...(session.stdout ? { stdout: session.stdout } : {}),
      ...(session.stderr ? { stderr: session.stderr } : {}),
      resize: session.resize,
      signal: session.signal,
    });
    return { type: 'exit', code };
  }

  async attach(request: AttachRequest, session: StreamSession): Promise<CommandOutcome> {
    return this.deps.attach(this.deps.containers.requireRunning(request.containerId), session);
  }

  async portForward(podSandboxId: string, port: number): Promise<Duplex> {
    const sandbox = this.deps.sandboxes.require(podSandboxId);
    const { net } = sandbox.namespaces;
    const dial = (host: string) => connectInNamespace({ ...(net ? { netns: net } : {}), host, port });
    try {
      return await dial('127.0.0.1');
    } catch (first) {
      try {
        return await dial('::1');
      } catch {
        throw new Error(`error forwarding port ${port} to pod ${sandbox.id}: ${(first as Error).message}`, { cause: first });
      }
    }
  }
}
