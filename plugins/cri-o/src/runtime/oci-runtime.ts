import { execFile, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CgroupLayout } from '@coxswain/linux';

/** How the command line of an OCI runtime failed; the message is the runtime's own. */
export class RuntimeCommandError extends Error {
  override readonly name = 'RuntimeCommandError';
}

const OUTPUT_LIMIT = 1024 * 1024;
export const RUNTIME_ENV = { PATH: process.env['PATH'] ?? '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

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

  #run(command: readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const child = spawn(this.command, this.args(command), { stdio: ['ignore', 'ignore', 'pipe'], env: RUNTIME_ENV, cwd: '/' });
      let stderr = '';
      child.stderr.on('data', (chunk: Buffer) => {
        if (stderr.length < OUTPUT_LIMIT) stderr += chunk.toString('utf8');
      });
      child.once('error', (error) => reject(new RuntimeCommandError(`cannot run ${this.command}: ${error.message}`)));
      child.once('close', (code, signal) => {
        if (code === 0) resolve();
        else reject(new RuntimeCommandError(runtimeMessage(stderr) || `${this.handler} ${command[0]} failed (${signal ?? code})`));
      });
    });
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

export interface RuntimesOptions {
  /** Program by handler; the first is the default. Absent: `runc` and `crun`, whichever are installed. */
  readonly runtimes?: Readonly<Record<string, string>>;
  readonly stateDir: string;
  readonly cgroups: CgroupLayout;
}

/** The OCI runtimes of this node, by RuntimeClass handler. */
export class Runtimes {
  private constructor(private readonly byHandler: ReadonlyMap<string, OciRuntime>) {}

  static async open({ runtimes, stateDir, cgroups }: RuntimesOptions): Promise<Runtimes> {
    const out = new Map<string, OciRuntime>();
    for (const [handler, name] of Object.entries(runtimes ?? { runc: 'runc', crun: 'crun' })) {
      const program = lookUp(name);
      if (program === undefined) {
        if (runtimes) throw new Error(`the OCI runtime ${name} of handler ${handler} is not installed`);
        continue;
      }
      const root = join(stateDir, handler);
      await mkdir(root, { recursive: true, mode: 0o700 });
      const wrap = cgroups.version === 1 && cgroups.unified !== undefined && (await isCrun(program));
      out.set(handler, new OciRuntime(handler, wrap ? await writeWrapper(stateDir, handler, program, cgroups.unified as string) : program, root));
    }
    if (out.size === 0) throw new Error('no OCI runtime is installed: apt-get install runc');
    return new Runtimes(out);
  }

  get handlers(): string[] {
    return [...this.byHandler.keys()];
  }

  /** Undefined when the handler is gone since the container was made. The empty one is the default. */
  find(handler: string): OciRuntime | undefined {
    return handler === '' ? [...this.byHandler.values()][0] : this.byHandler.get(handler);
  }

  require(handler: string): OciRuntime {
    const runtime = this.find(handler);
    if (!runtime) throw new Error(`no runtime for ${JSON.stringify(handler)} is configured`);
    return runtime;
  }
}

/** Absolute path of a program, or undefined. */
export function lookUp(name: string): string | undefined {
  const candidates = name.includes('/') ? [name] : `${RUNTIME_ENV.PATH}:/usr/sbin:/sbin`.split(':').map((dir) => join(dir, name));
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

const isCrun = (program: string) =>
  new Promise<boolean>((resolve) => execFile(program, ['--version'], { timeout: 10_000 }, (_error, stdout) => resolve(/^crun /m.test(stdout))));

/**
 * crun refuses hybrid cgroups (v1 with a v2 hierarchy beside), so it runs where the v2 one is not mounted. Only that mount's parent
 * becomes private: all others must go on propagating, or containers' shared mounts would not reach the host.
 */
async function writeWrapper(dir: string, handler: string, program: string, unified: string): Promise<string> {
  const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const parent = unified.slice(0, unified.lastIndexOf('/'));
  const inner = `mount --make-private ${quote(parent)} && umount ${quote(unified)} && exec "$0" "$@"`;
  const path = join(dir, `${handler}-without-unified`);
  const text = `#!/bin/sh\nexec unshare -m --propagation unchanged sh -c ${quote(inner)} ${quote(program)} "$@"\n`;
  if ((await readFile(path, 'utf8').catch(() => '')) === text) return path;
  await rm(path, { force: true });
  await writeFile(path, text, { mode: 0o755 });
  return path;
}
