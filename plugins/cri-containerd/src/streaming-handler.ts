import type { Duplex, Writable } from 'node:stream';
import { type AttachRequest, type CommandOutcome, CriError, type ExecRequest, type StreamingHandler, type StreamSession } from '@coxswain/cri';
import { connectInNamespace } from '@coxswain/linux';
import type { Containerd } from './containerd/client.js';
import type { ContainerManager } from './container/container-manager.js';
import type { ExecRunner } from './container/exec.js';
import type { SandboxManager } from './sandbox/sandbox-manager.js';

export interface StreamingDeps {
  readonly containerd: Containerd;
  readonly containers: ContainerManager;
  readonly sandboxes: SandboxManager;
  readonly exec: ExecRunner;
}

/** Exec, attach and port-forward for the streaming server. */
export class ContainerdStreaming implements StreamingHandler {
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
    const { containers, containerd } = this.deps;
    const record = containers.requireRunning(request.containerId);
    const { io } = record;
    if (!io) throw new CriError('unknown', 'the container has no streams');
    const { config } = record.meta;
    return new Promise<CommandOutcome>((resolve) => {
      const undo: (() => void)[] = [];
      const end = (outcome: CommandOutcome) => {
        for (const f of undo.splice(0)) f();
        resolve(outcome);
      };
      const over = () => end({ type: 'exit', code: 0 });
      const tap = (stream: 'stdout' | 'stderr', sink: Writable | undefined) => {
        if (sink) undo.push(io.tap(stream, sink, over));
      };
      tap('stdout', session.stdout);
      if (!config.tty) tap('stderr', session.stderr);
      const stdin = session.stdin && io.stdin();
      if (session.stdin && stdin) {
        session.stdin.pipe(stdin, { end: false });
        undo.push(() => session.stdin?.unpipe(stdin));
        session.stdin.once('end', () => {
          if (!config.stdinOnce) return session.stdout || session.stderr ? undefined : over();
          void io.closeStdin().then(() => containerd.tasks.closeIO({ containerId: record.meta.id, stdin: true }).catch(() => {}));
        });
      }
      if (config.tty) {
        void (async () => {
          for await (const { width, height } of session.resize)
            await containerd.tasks.resizePty({ containerId: record.meta.id, width, height }).catch(() => {});
        })();
      }
      session.signal.addEventListener('abort', over, { once: true });
      // The status waits for the pipes to be empty, so all output has been passed on by then.
      void record.exited.then(over);
    });
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
