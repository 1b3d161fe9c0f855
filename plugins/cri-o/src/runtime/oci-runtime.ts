import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type OciProgramsOptions, ociPrograms, RUNTIME_ENV, RuntimeHandlers } from '@coxswain/cri-runtime';
import { runProgram } from '@coxswain/linux';

/** How the command line of an OCI runtime failed; the message is the runtime's own. */
export class RuntimeCommandError extends Error {
  override readonly name = 'RuntimeCommandError';
}

/** One OCI runtime: the command line all of them have (`create`, `start`, `exec`, `kill`, `delete`, `update`). */
export class OciRuntime {
  constructor(
    readonly handler: string,
    /** The program, or the wrapper it must be run by. */
    readonly command: string,
    /** Where it keeps its containers' states. */
    readonly root: string,
  ) {}

  start(id: string): Promise<void> {
    return this.#run(['start', id]);
  }

  /** Also kills what is left of it. Nothing to delete is success. */
  async delete(id: string): Promise<void> {
    await this.#run(['delete', '--force', id]).catch((error: unknown) => {
      if (!(error instanceof RuntimeCommandError) || !/does not exist|not exist|no such file/i.test(error.message)) throw error;
    });
  }

  /** `file`: a `linux.resources` document. (crun cannot read it from a socket, which Node's pipes are.) */
  update(id: string, file: string): Promise<void> {
    return this.#run(['update', '--resources', file, id]);
  }

  /** The container is made, and its program waits to be started. */
  async waitsForStart(id: string): Promise<boolean> {
    return (await stat(join(this.root, id, 'exec.fifo')).catch(() => undefined)) !== undefined;
  }

  args(command: readonly string[]): string[] {
    return ['--root', this.root, ...command];
  }

  async #run(command: readonly string[]): Promise<void> {
    const { end, stderr } = await runProgram({ path: this.command, args: this.args(command), env: RUNTIME_ENV }).catch((cause: unknown) => {
      throw new RuntimeCommandError(`cannot run ${this.command}: ${(cause as Error).message}`, { cause });
    });
    if (end.code !== 0) throw new RuntimeCommandError(runtimeMessage(stderr) || `${this.handler} ${command[0]} failed (${end.signal ?? end.code})`);
  }
}

/** The message in what a runtime prints: logrus' `level=error msg="…"`, JSON log lines, or plain text. Pure. */
export function runtimeMessage(text: string): string {
  const lines = text.trim().split('\n').filter(Boolean);
  const parsed = lines.map((line) => {
    if (line.startsWith('{')) {
      try {
        const { msg, level } = JSON.parse(line) as { msg?: string; level?: string };
        if (msg !== undefined) return { msg, error: level === undefined || level === 'error' || level === 'fatal' };
      } catch {
        // Plain text after all.
      }
    }
    const quoted = /\bmsg="((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
    return { msg: quoted === undefined ? line : quoted.replace(/\\(.)/g, '$1'), error: quoted === undefined || /level=(error|fatal)/.test(line) };
  });
  const errors = parsed.filter((p) => p.error);
  return (errors.length > 0 ? errors : parsed).map((p) => p.msg).join('\n');
}

/** The OCI runtimes of this node, by RuntimeClass handler. */
export class Runtimes extends RuntimeHandlers<OciRuntime> {
  /** `stateDir`: where each keeps its containers' states. */
  static async open({ stateDir, ...options }: OciProgramsOptions & { readonly stateDir: string }): Promise<Runtimes> {
    const out = new Map<string, OciRuntime>();
    for (const [handler, command] of await ociPrograms(options)) {
      const root = join(stateDir, handler);
      await mkdir(root, { recursive: true, mode: 0o700 });
      out.set(handler, new OciRuntime(handler, command, root));
    }
    return new Runtimes(out);
  }
}
