import { spawn, spawnSync } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { lookUp } from '@coxswain/cri-runtime';
import { isAlive, type ProcessIdentity, processIdentity, signalProcess } from '@coxswain/linux';
import { type Clock, type Logger, silentLogger, systemClock } from '@coxswain/sdk';
import { type ContainerdPaths, containerdConfig } from './config-file.js';

/** The oldest containerd whose API has all we call. */
export const MINIMUM_CONTAINERD = '1.6.0';

/** containerd or an OCI runtime is missing or too old; the message says what to install. */
export class ContainerdMissingError extends Error {
  constructor(message: string) {
    super(`${message}; install them with: apt-get install containerd crun`);
    this.name = 'ContainerdMissingError';
  }
}

export interface StartContainerdOptions extends ContainerdPaths {
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Where containerd's own log goes. Default `<root>/containerd.log`. */
  readonly logFile?: string;
  /** Default: `containerd` on the PATH. */
  readonly binary?: string;
  /** Whether containerd and runc are known to be there and new enough already; asking takes them 50 ms. Default false. */
  readonly checked?: boolean;
  /** What goes before the command: others that run the one they are given, such as `nsenter` or a supervisor. */
  readonly launcher?: readonly string[];
  readonly signal?: AbortSignal;
  /** How long to wait for the socket to answer. Default 15 s. */
  readonly timeoutMs?: number;
}

export interface ContainerdDaemon {
  readonly socket: string;
  readonly pid: number;
  readonly process: ProcessIdentity;
  /** True when it ran already. */
  readonly adopted: boolean;
  /** Stop containerd itself; containers go on under their shims. */
  stop(): Promise<void>;
}

/** `containerd --version` must be there and new enough, and crun or runc must be there. Returns the version. */
export function checkContainerd(binary = 'containerd', ociRuntimes: readonly string[] = ['crun', 'runc']): string {
  const version = (command: string) => {
    const result = spawnSync(command, ['--version'], { encoding: 'utf8' });
    return result.error || result.status !== 0 ? undefined : result.stdout;
  };
  const text = version(binary);
  if (text === undefined) throw new ContainerdMissingError(`containerd was not found (${binary})`);
  const found = /\bv?(\d+)\.(\d+)\.(\d+)/.exec(text);
  if (!found) throw new ContainerdMissingError(`cannot read containerd's version from ${JSON.stringify(text.trim())}`);
  const [major, minor] = [Number(found[1]), Number(found[2])];
  const number = `${found[1]}.${found[2]}.${found[3]}`;
  if (major < 1 || (major === 1 && minor < 6)) throw new ContainerdMissingError(`containerd ${number} is too old: ${MINIMUM_CONTAINERD} or newer is needed`);
  if (ociRuntimes.every((name) => lookUp(name) === undefined)) throw new ContainerdMissingError(`no OCI runtime was found (${ociRuntimes.join(', ')})`);
  return number;
}

/**
 * Run an own containerd, detached so that it and its containers survive us; adopt it when it runs already.
 * Its pid goes to `<state>/containerd.pid`.
 */
export async function startContainerd(options: StartContainerdOptions): Promise<ContainerdDaemon> {
  const { root, state, socket, clock = systemClock, logger = silentLogger } = options;
  const logFile = options.logFile ?? join(root, 'containerd.log');
  const pidFile = join(state, 'containerd.pid');
  await mkdir(root, { recursive: true, mode: 0o711 });
  await mkdir(state, { recursive: true, mode: 0o711 });
  const running = await readIdentity(pidFile);
  let child: ProcessIdentity;
  let exited: Promise<string> | undefined;
  if (running) {
    child = running;
  } else {
    if (!options.checked) checkContainerd(options.binary);
    const configFile = join(root, 'containerd.toml');
    await writeFile(configFile, containerdConfig(options), { mode: 0o600 });
    await rm(socket, { force: true });
    const log = openSync(logFile, 'a', 0o600);
    const [program = '', ...args] = [...(options.launcher ?? []), options.binary ?? 'containerd', '--config', configFile];
    const started = spawn(program, args, { detached: true, stdio: ['ignore', log, log], cwd: '/' });
    closeSync(log);
    exited = new Promise((resolve) => {
      started.once('exit', (code, signal) => resolve(`exited with ${signal ?? `code ${code}`}`));
      started.once('error', (error) => resolve(error.message));
    });
    const identity = started.pid === undefined ? undefined : processIdentity(started.pid);
    if (!identity) throw new Error(`containerd did not start: ${await exited}`);
    started.unref();
    child = identity;
    await writeFile(pidFile, JSON.stringify(identity), { mode: 0o600 });
    logger.info('containerd started', { pid: identity.pid, socket });
  }
  const failed = exited?.then(async (how) => {
    const log = await readFile(logFile, 'utf8').catch(() => '');
    throw new Error(`containerd ${how}; the end of its log: ${log.trim().split('\n').slice(-3).join(' | ')}`);
  });
  failed?.catch(() => {});
  const answered = waitForSocket(socket, { clock, timeoutMs: options.timeoutMs ?? 15_000, logFile, ...(options.signal ? { signal: options.signal } : {}) });
  await (failed ? Promise.race([answered, failed]) : answered);
  return {
    socket,
    pid: child.pid,
    process: child,
    adopted: running !== undefined,
    async stop() {
      signalProcess(child, 'SIGTERM');
      for (let waited = 0; isAlive(child); waited += 20) {
        if (waited > 10_000) signalProcess(child, 'SIGKILL');
        await clock.sleep(20);
      }
      await rm(pidFile, { force: true });
    },
  };
}

interface WaitForSocket {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly logFile: string;
  readonly signal?: AbortSignal;
}

/** containerd listens once all it has is loaded. Asked without gRPC, which takes longer to load than containerd to start. */
async function waitForSocket(socket: string, { clock, timeoutMs, logFile, signal }: WaitForSocket): Promise<void> {
  const end = clock.monotonic() + timeoutMs;
  while (!(await accepts(socket))) {
    if (clock.monotonic() >= end) throw new Error(`containerd does not answer at ${socket} within ${timeoutMs / 1000} s; its log is ${logFile}`);
    await clock.sleep(10, signal);
  }
}

function accepts(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    connection.once('connect', () => connection.destroy());
    connection.once('error', () => {});
    connection.once('close', (failed) => resolve(!failed));
  });
}

/** The process a pid file names, if that very process (not a later one of the same pid) still runs. */
export async function readIdentity(path: string): Promise<ProcessIdentity | undefined> {
  try {
    const identity = JSON.parse(await readFile(path, 'utf8')) as ProcessIdentity;
    return isAlive(identity) ? identity : undefined;
  } catch {
    return undefined;
  }
}
