import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, type ProcessIdentity, processIdentity, readOomScoreAdj, signalProcess } from '@coxswain/linux';
import { type Clock, systemClock } from '@coxswain/sdk';
import { Engine } from '../engine/engine.js';
import { daemonConfig, type DockerdPaths } from './daemon-config.js';
import { killEngineProcesses } from './engine-processes.js';

export interface StartDockerdOptions extends DockerdPaths {
  readonly clock?: Clock;
  /** Where its own log goes. Default `<root>/dockerd.log`. */
  readonly logFile?: string;
  /** Default: `dockerd` on the PATH. */
  readonly binary?: string;
  /** What goes before the command: others that run the one they are given, such as `nsenter` or a supervisor. Where the engine runs, its containers' host network is. */
  readonly launcher?: readonly string[];
  readonly signal?: AbortSignal;
  /** How long to wait until it answers. Default 30 s. */
  readonly timeoutMs?: number;
}

export interface DockerdDaemon {
  readonly socket: string;
  readonly version: string;
  readonly pid: number;
  readonly process: ProcessIdentity;
  /** True when it ran already. */
  readonly adopted: boolean;
  /** Stop dockerd and its containerd; containers go on. */
  stop(): Promise<void>;
}

/** Where its log is when nothing else was said. */
export const dockerdLog = (root: string) => join(root, 'dockerd.log');

/**
 * Run an own Docker Engine with its own containerd, detached so that it and its containers survive us; adopt it when it runs already. It
 * leaves the machine's network alone: no bridge, no firewall rules, no forwarding setting.
 */
export async function startDockerd(options: StartDockerdOptions): Promise<DockerdDaemon> {
  const { root, state, socket, clock = systemClock, timeoutMs = 30_000, signal } = options;
  const logFile = options.logFile ?? dockerdLog(root);
  const pidFile = join(state, 'identity.json');
  await Promise.all([root, state].map((dir) => mkdir(dir, { recursive: true, mode: 0o711 })));
  const running = await readIdentity(pidFile);
  let child: ProcessIdentity;
  let exited: string | undefined;
  if (running) {
    child = running;
  } else {
    // A containerd of one that was killed; it would hold the socket of the next. Containers go on.
    await killEngineProcesses(state, ['containerd'], clock);
    const configFile = join(root, 'daemon.json');
    await writeFile(configFile, daemonConfig(options), { mode: 0o600 });
    // dockerd takes a process that is dead but not yet reaped for one that runs.
    await Promise.all([socket, join(state, 'engine.pid'), join(state, 'containerd', 'containerd.pid')].map((path) => rm(path, { force: true })));
    // Not everybody may lower the score, which is what it does by itself.
    const flags = ['--config-file', configFile, `--oom-score-adjust=${await readOomScoreAdj()}`];
    const [program = '', ...args] = [...(options.launcher ?? []), options.binary ?? 'dockerd', ...flags];
    const log = openSync(logFile, 'a', 0o600);
    const started = spawn(program, args, { detached: true, stdio: ['ignore', log, log], cwd: '/' });
    closeSync(log);
    started.once('exit', (code, by) => (exited = `exited with ${by ?? `code ${code}`}`));
    const failed = new Promise<string>((resolve) => started.once('error', (error) => resolve((exited = error.message))));
    const identity = started.pid === undefined ? undefined : processIdentity(started.pid);
    if (!identity) throw new Error(`dockerd did not start: ${await failed}`);
    started.unref();
    child = identity;
    await writeFile(pidFile, JSON.stringify(identity), { mode: 0o600 });
  }
  const engine = new Engine({ socket, clock });
  try {
    const until = clock.monotonic() + timeoutMs;
    for (;;) {
      signal?.throwIfAborted();
      const answer = await engine.version().catch((error: Error) => error);
      if (!(answer instanceof Error)) {
        return { socket, version: answer.Version, pid: child.pid, process: child, adopted: running !== undefined, stop: () => stop(child, pidFile, clock) };
      }
      if (exited !== undefined) throw new Error(`dockerd ${exited}; the end of its log: ${await endOf(logFile)}`);
      if (clock.monotonic() > until)
        throw new Error(`dockerd did not answer within ${timeoutMs / 1000} s: ${answer.message}; the end of its log: ${await endOf(logFile)}`);
      await clock.sleep(50);
    }
  } finally {
    engine.close();
  }
}

const STOP_MS = 15_000;

async function stop(child: ProcessIdentity, pidFile: string, clock: Clock): Promise<void> {
  signalProcess(child, 'SIGTERM');
  for (let waited = 0; isAlive(child); waited += 20) {
    if (waited > STOP_MS) signalProcess(child, 'SIGKILL');
    await clock.sleep(20);
  }
  await rm(pidFile, { force: true });
}

async function readIdentity(path: string): Promise<ProcessIdentity | undefined> {
  try {
    const identity = JSON.parse(await readFile(path, 'utf8')) as ProcessIdentity;
    return isAlive(identity) ? identity : undefined;
  } catch {
    return undefined;
  }
}

async function endOf(logFile: string): Promise<string> {
  const log = await readFile(logFile, 'utf8').catch(() => '');
  return log.trim().split('\n').slice(-3).join(' | ');
}
