import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KubeClient, transportFromKubeconfig } from '@coxswain/client';
import type { ClusterConfig } from '@coxswain/cluster';
import { claimIndex } from '@coxswain/sdk-testing';

const root = fileURLToPath(new URL('../../../', import.meta.url));
/** The bundle under test; `COXSWAIN_TEST_COX` names another one than apps/cox/dist. */
export const coxProgram = resolve(root, process.env['COXSWAIN_TEST_COX'] ?? 'apps/cox/dist/cox.mjs');
export const guestbook = join(root, 'examples/guestbook');

const UP_TIMEOUT_MS = 240_000;

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** Run a command to its end; never rejects for its exit code. */
export function command(program: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return new Promise((done, reject) => {
    const child = spawn(program, args, { cwd: root, env: { ...process.env, ...options.env } });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 60_000);
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      done({ code: code ?? 137, stdout, stderr });
    });
    child.stdin.on('error', () => {});
    child.stdin.end(options.input ?? '');
  });
}

/** A cluster of its own, made by the real command in folders of its own, and the clients that talk to it. */
export class ClusterFixture implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'cox-cluster-'));
  readonly env: Readonly<Record<string, string>>;
  readonly #index = claimIndex();
  #client: KubeClient | undefined;

  constructor(readonly name: string) {
    // Users of pods' own user namespaces have to get at their root file systems.
    chmodSync(this.folder, 0o711);
    this.env = {
      COXSWAIN_CLUSTER_INDEX: String(this.#index.value),
      COXSWAIN_STATE_DIR: join(this.folder, 'state'),
      COXSWAIN_RUN_DIR: join(this.folder, 'run'),
      KUBECONFIG: join(this.folder, 'kubeconfig'),
      HELM_CACHE_HOME: join(this.folder, 'helm-cache'),
      HELM_CONFIG_HOME: join(this.folder, 'helm-config'),
      HELM_DATA_HOME: join(this.folder, 'helm-data'),
    };
  }

  cox(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return command(process.execPath, [coxProgram, ...args], { ...options, env: { ...this.env, ...options.env } });
  }

  /** Like `cox`, but rejects with its words when it fails. */
  async mustCox(...args: string[]): Promise<string> {
    return must(`cox ${args.join(' ')}`, await this.cox(args, { timeoutMs: 90_000 }));
  }

  kubectlRaw(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return command(join(root, '.cache/bin/kubectl'), args, { ...options, env: { ...this.env, ...options.env } });
  }

  async kubectl(...args: string[]): Promise<string> {
    return must(`kubectl ${args.join(' ')}`, await this.kubectlRaw(args));
  }

  async apply(yaml: string): Promise<string> {
    return must('kubectl apply -f -', await this.kubectlRaw(['apply', '-f', '-'], { input: yaml }));
  }

  async json<T = Record<string, never>>(...args: string[]): Promise<T> {
    return JSON.parse(await this.kubectl('get', ...args, '-o', 'json')) as T;
  }

  /** The administrator, without a process for every request: for what is asked again and again. Fails at once when nobody answers. */
  get client(): KubeClient {
    this.#client ??= new KubeClient({ transport: transportFromKubeconfig({ path: this.env['KUBECONFIG'] ?? '' }), userAgent: 'test', maxRetries: 0 });
    return this.#client;
  }

  async pods<T>(labelSelector: string, namespace = 'default'): Promise<T[]> {
    const { items } = await this.client.api.pods(namespace).list({ labelSelector, signal: AbortSignal.timeout(5000) });
    return items as unknown as T[];
  }

  async podLog(name: string, container: string, namespace: string): Promise<string> {
    const path = `/api/v1/namespaces/${namespace}/pods/${name}/log`;
    const { status, body } = await this.client.rest.transport.request({
      method: 'GET',
      path,
      query: `container=${container}`,
      headers: {},
      signal: AbortSignal.timeout(10_000),
    });
    const text = new TextDecoder().decode(body);
    if (status !== 200) throw new Error(`the log of ${name} is not to be had: ${text}`);
    return text;
  }

  async helm(...args: string[]): Promise<string> {
    return must(`helm ${args.join(' ')}`, await command(join(root, '.cache/bin/helm'), args, { env: this.env, timeoutMs: 120_000 }));
  }

  /** kubectl in the background, for `logs -f`, `port-forward` and the like. */
  background(...args: string[]): ChildProcess {
    return spawn(join(root, '.cache/bin/kubectl'), args, { cwd: root, env: { ...process.env, ...this.env }, stdio: ['pipe', 'pipe', 'pipe'] });
  }

  /** A shell line in a terminal of its own, where `kubectl` is ours. */
  terminal(line: string): ChildProcess {
    const PATH = `${join(root, '.cache/bin')}:${process.env['PATH'] ?? ''}`;
    return spawn('script', ['-qec', line, '/dev/null'], { cwd: root, env: { ...process.env, ...this.env, PATH }, stdio: ['pipe', 'pipe', 'pipe'] });
  }

  /** `cox up` has time limits of its own; this one is against hanging only. */
  async up(...args: string[]): Promise<string> {
    return must('cox up', await this.cox(['up', '--name', this.name, ...args], { timeoutMs: UP_TIMEOUT_MS }));
  }

  get config(): ClusterConfig {
    return JSON.parse(readFileSync(join(this.folder, 'state', this.name, 'cluster.json'), 'utf8')) as ClusterConfig;
  }

  /** Of a process as `cox status` names it: `node`, `node-1/node`. */
  pid(process: string): number {
    const { folder, role } = this.#placeOf(process);
    return pidIn(join(folder, `${role}.pid`));
  }

  /** kill -9, and its supervisor does not start it again: to see the cluster without it, and what `cox up` makes of that. */
  killForGood(...processes: string[]): void {
    for (const each of processes) {
      const { folder, role } = this.#placeOf(each);
      writeFileSync(join(folder, 'supervised', role, 'hold'), '');
    }
    for (const each of processes) process.kill(this.pid(each), 'SIGKILL');
  }

  /** kill -9 of them and their supervisors, so that nobody is left to start them again. */
  killWithSupervisors(...processes: string[]): void {
    const supervisors = processes.map((each) => {
      const { folder, role } = this.#placeOf(each);
      return pidIn(join(folder, 'supervised', role, 'pid'));
    });
    for (const pid of [...supervisors, ...processes.map((each) => this.pid(each))]) killIfThere(pid);
  }

  #placeOf(process: string): { folder: string; role: string } {
    const { run } = this.config.paths;
    const [host, role] = process.split('/');
    return role === undefined ? { folder: run, role: process } : { folder: join(run, 'hosts', host ?? ''), role };
  }

  async loadGuestbook(): Promise<void> {
    const archive = join(this.folder, 'guestbook.tar');
    must('building the image', await command(process.execPath, [join(guestbook, 'build-image.mjs'), archive]));
    await this.mustCox('image', 'load', '--name', this.name, archive);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.close();
    await this.cox(['down', '--name', this.name, '--purge'], { timeoutMs: 90_000 });
    rmSync(this.folder, { recursive: true, force: true });
    this.#index.release();
  }
}

/** It may have ended by itself a moment ago. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function pidIn(file: string): number {
  return (JSON.parse(readFileSync(file, 'utf8')) as { pid: number }).pid;
}

function must(what: string, result: CommandResult): string {
  if (result.code !== 0) throw new Error(`${what} ended with ${result.code}:\n${result.stdout}${result.stderr}`);
  return result.stdout;
}

/** Try until it holds; the last failure is the error. For what a cluster brings about in its own time. */
export async function eventually<T>(what: string, look: () => Promise<T> | T, withinMs = 90_000): Promise<T> {
  const until = performance.now() + withinMs;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (performance.now() > until) throw new Error(`${what} did not come about within ${withinMs} ms: ${(error as Error).message}`, { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
