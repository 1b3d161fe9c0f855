import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { agentProgram } from './agent-program.js';

/** Runs a program to its end; rejects with what it said. */
export function run(file: string, args: readonly string[], input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(file, [...args], { maxBuffer: 64 << 20 }, (error, stdout, stderr) =>
      error ? reject(new Error(`${file} ${args.join(' ')}: ${stderr || error.message}`)) : resolve(stdout),
    );
    if (input !== undefined) child.stdin?.end(input);
  });
}

/** A request that got no answer. `code` is `timeout`, or the error's name such as `ECONNREFUSED`. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError';
  constructor(
    readonly code: string,
    what: string,
  ) {
    super(`${what}: ${code}`);
  }
}

export interface AskOptions {
  /** Default 2000; shorten it where none is expected. */
  readonly timeoutMs?: number;
  /** Default: any. The same one again is the same flow to connection tracking. */
  readonly localPort?: number;
}

/** One network namespace of a lab, with an agent inside. */
export class LabHost implements AsyncDisposable {
  private readonly waiting = new Map<number, { resolve(text: string): void; reject(error: Error): void; what: string }>();
  private child: ChildProcess | undefined;
  private next = 1;

  constructor(
    readonly name: string,
    /** As `ip netns` knows it. */
    readonly netns: string,
  ) {}

  /** Path of the namespace. */
  get path(): string {
    return `/run/netns/${this.netns}`;
  }

  async start(): Promise<void> {
    const source = `(${agentProgram.toString()})(require, ${JSON.stringify(this.name)})`;
    // `ip netns exec` would hide this machine's /sys behind the namespace's own; nsenter changes the network only.
    const child = spawn('nsenter', [`--net=${this.path}`, process.execPath, '-e', source], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.child = child;
    const started = new Promise<string>((resolve, reject) => this.waiting.set(0, { resolve, reject, what: `agent of ${this.name}` }));
    child.once('exit', () => {
      for (const { reject, what } of this.waiting.values()) reject(new NoAnswerError('the agent ended', what));
      this.waiting.clear();
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { id, ok, error } = JSON.parse(line) as { id: number; ok?: string; error?: string };
      const waiter = this.waiting.get(id);
      this.waiting.delete(id);
      if (error === undefined) waiter?.resolve(ok ?? '');
      else waiter?.reject(new NoAnswerError(error, waiter.what));
    });
    await started;
  }

  private call(op: string, args: Readonly<Record<string, unknown>>): Promise<string> {
    const id = this.next++;
    return new Promise((resolve, reject) => {
      const what = `${this.name}: ${op} ${args['host'] ?? ''} ${args['port'] ?? ''}`;
      this.waiting.set(id, { resolve, reject, what });
      this.child?.stdin?.write(`${JSON.stringify({ op, id, ...args })}\n`);
    });
  }

  /** Answers on a port, TCP and UDP, both families: `<name> <address it saw>`. */
  async serve(port: number): Promise<void> {
    await this.call('serve', { port });
  }

  /** One TCP request; the answer of whoever serves there. Rejects with `NoAnswerError`. */
  tcp(host: string, port: number, { timeoutMs = 2000, localPort }: AskOptions = {}): Promise<string> {
    return this.call('tcp', { host, port, timeoutMs, localPort });
  }

  /** One datagram and its answer. */
  udp(host: string, port: number, { timeoutMs = 2000, localPort }: AskOptions = {}): Promise<string> {
    return this.call('udp', { host, port, timeoutMs, localPort });
  }

  /** A TCP connection that stays; `say` sends something over it and waits for the echo. */
  async connect(host: string, port: number, { timeoutMs = 2000 }: AskOptions = {}): Promise<{ say(timeoutMs?: number): Promise<string> }> {
    const key = this.next++;
    await this.call('keep', { host, port, timeoutMs, key });
    return { say: (ms = 2000) => this.call('talk', { key, timeoutMs: ms }) };
  }

  /** Lines for `ip -batch`, in this namespace. */
  async ip(...lines: readonly string[]): Promise<void> {
    await run('ip', ['-n', this.netns, '-batch', '-'], `${lines.join('\n')}\n`);
  }

  /** Sets kernel settings of the namespace, by their names under /proc/sys. */
  async sysctl(settings: Readonly<Record<string, string>>): Promise<void> {
    const script = Object.entries(settings)
      .map(([name, value]) => `echo ${value} > /proc/sys/${name}`)
      .join('\n');
    await run('nsenter', [`--net=${this.path}`, 'sh', '-ec', script]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.child;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
}
