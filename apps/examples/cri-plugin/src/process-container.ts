import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { type ContainerConfig, ContainerState, CriError, type PodSandboxConfig } from '@coxswain/cri';
import type { Clock } from '@coxswain/sdk';

/** One container: a process group of this machine, with its output in a CRI log. */
export class ProcessContainer {
  state: ContainerState = ContainerState.CONTAINER_CREATED;
  readonly createdAt: number;
  startedAt = 0;
  finishedAt = 0;
  exitCode = 0;
  readonly logPath: string;
  #process: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(
    readonly id: string,
    readonly sandboxId: string,
    readonly config: ContainerConfig,
    sandbox: PodSandboxConfig,
    private readonly clock: Clock,
  ) {
    this.createdAt = clock.now();
    this.logPath = sandbox.logDirectory && config.logPath ? `${sandbox.logDirectory}/${config.logPath}` : '';
  }

  get reason(): string {
    return this.state === ContainerState.CONTAINER_EXITED ? (this.exitCode === 0 ? 'Completed' : 'Error') : '';
  }

  /** The environment and folder of the container's processes. */
  get surroundings(): { readonly env: Record<string, string>; readonly cwd: string } {
    const own = Object.fromEntries(this.config.envs.map(({ key, value }) => [key, Buffer.from(value).toString()]));
    return { env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', ...own }, cwd: this.config.workingDir || '/' };
  }

  async start(): Promise<void> {
    const [program, ...args] = [...this.config.command, ...this.config.args];
    if (program === undefined) throw new CriError('invalidArgument', 'the container names no command, and an image that is only a name has none');
    if (this.logPath) mkdirSync(dirname(this.logPath), { recursive: true });
    // A process group of its own: what the container starts ends with it.
    const child = spawn(program, args, { ...this.surroundings, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => reject(new CriError('unknown', error.message)));
    }).catch((error: unknown) => {
      this.#exited(128);
      throw error;
    });
    this.#process = child;
    this.state = ContainerState.CONTAINER_RUNNING;
    this.startedAt = this.clock.now();
    for (const stream of ['stdout', 'stderr'] as const) createInterface({ input: child[stream] }).on('line', (line) => this.#log(stream, line));
    // 'close' comes after the last output, 'exit' may come before.
    this.#ended = new Promise((resolve) =>
      child.once('close', (code, signal) => {
        this.#exited(code ?? 128 + (signal === 'SIGKILL' ? 9 : 15));
        resolve();
      }),
    );
  }

  async stop(graceMs: number): Promise<void> {
    if (this.state === ContainerState.CONTAINER_CREATED) this.#exited(137);
    if (this.state !== ContainerState.CONTAINER_RUNNING) return;
    this.#signal(graceMs > 0 ? 'SIGTERM' : 'SIGKILL');
    const cancel = this.clock.setTimeout(() => this.#signal('SIGKILL'), graceMs);
    await this.#ended.finally(cancel);
  }

  /** User and system time in nanoseconds, resident bytes; of the first process only. */
  usage(): { readonly cpu: bigint; readonly memory: bigint } {
    try {
      const stat = readFileSync(`/proc/${this.#process?.pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const ticks = BigInt(fields[11] ?? 0) + BigInt(fields[12] ?? 0);
      return { cpu: ticks * 10_000_000n, memory: BigInt(fields[21] ?? 0) * 4096n };
    } catch {
      return { cpu: 0n, memory: 0n };
    }
  }

  #signal(signal: NodeJS.Signals): void {
    try {
      if (this.#process?.pid) process.kill(-this.#process.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }

  #log(stream: 'stdout' | 'stderr', line: string): void {
    if (this.logPath) appendFileSync(this.logPath, `${new Date(this.clock.now()).toISOString()} ${stream} F ${line}\n`);
  }

  #exited(code: number): void {
    this.state = ContainerState.CONTAINER_EXITED;
    this.exitCode = code;
    this.finishedAt = this.clock.now();
  }
}
