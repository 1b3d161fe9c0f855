import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isAlive, signalProcess } from '@coxswain/linux';
import { afterEach, expect, test } from 'vitest';
import { readPidFile } from '../process/pid-file.js';
import { stopSupervised } from './stop-supervised.js';
import { hold, markReady, restartsOf, superviseAgain, supervised, type Supervision, supervisorOf } from './supervision.js';

const shell = fileURLToPath(new URL('supervise.sh', import.meta.url));
const made: Supervision[] = [];

function supervision(): Supervision {
  const folder = mkdtempSync(join(tmpdir(), 'cox-supervise-'));
  const made_ = { name: 'it', folder: join(folder, 'supervised'), pidFile: join(folder, 'it.pid'), logFile: join(folder, 'log') };
  made.push(made_);
  return made_;
}

afterEach(async () => {
  for (const each of made.splice(0)) {
    await stopSupervised(each, 0);
    // A subshell of the supervisor outlives it by a moment: it sees that the process is held, and ends.
    await expect.poll(() => processesOf(each), { interval: 5 }).toEqual([]);
    rmSync(join(each.folder, '..'), { recursive: true });
  }
});

/** A process that goes on, and names the folder so that it can be found. */
const goesOn = ({ folder }: Supervision) => ['tail', '-f', join(folder, 'lock')];

function start(it: Supervision, command = goesOn(it), env: Record<string, string> = {}): ChildProcess {
  const [program = '', ...args] = [...supervised(it, shell), ...command];
  const log = openSync(it.logFile, 'a');
  return spawn(program, args, { detached: true, stdio: ['ignore', log, log], env: { ...process.env, ...env } });
}

function processesOf({ folder }: Supervision): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(folder);
    } catch {
      return false;
    }
  });
}

async function eventually<T>(look: () => T | undefined | false): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    await sleep(5);
  }
}

/** Its process, once it is a program of its own and not the supervisor's copy any more. */
const runs = (it: Supervision, other?: number) =>
  eventually(() => {
    const found = readPidFile(it.pidFile);
    return found && found.pid !== other && readFileSync(`/proc/${found.pid}/cmdline`, 'utf8').startsWith('tail') && found;
  });
const log = (it: Supervision) => readFileSync(it.logFile, 'utf8');

test('a process that was killed is started again; how often and why is told', async () => {
  const it = supervision();
  start(it);
  const first = await runs(it);
  markReady(it);
  expect(restartsOf(it)).toEqual({ count: 0 });
  signalProcess(first, 'SIGKILL');
  const second = await runs(it, first.pid);
  expect(restartsOf(it)).toMatchObject({ count: 1, reason: 'killed by SIGKILL' });
  expect(log(it)).toContain('"msg":"it ended (killed by SIGKILL); starting it again"');
  signalProcess(second, 'SIGTERM');
  await eventually(() => log(it).includes('"msg":"it ended (killed by SIGTERM); starting it again in 1 s"'));
  expect(restartsOf(it)).toMatchObject({ count: 2, reason: 'killed by SIGTERM' });
});

test('one that ends before it was ready is left to who started it, with its exit code', async () => {
  const it = supervision();
  const child = start(it, ['sh', '-c', 'exit 7']);
  expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(7);
  expect(restartsOf(it)).toEqual({ count: 0 });
});

test('one that always ends is started again after longer and longer, and can be stopped meanwhile', async () => {
  const it = supervision();
  // Its sleep does not.
  symlinkSync('/bin/true', join(it.folder, '../sleep'));
  const child = start(it, ['sh', '-c', `[ -e ${it.folder}/ready ] && exit 3; exec /bin/sleep 1000`], {
    PATH: `${join(it.folder, '..')}:${process.env['PATH']}`,
  });
  const first = await eventually(() => readPidFile(it.pidFile));
  markReady(it);
  signalProcess(first, 'SIGKILL');
  const delays = () => [...log(it).matchAll(/exit code 3\); starting it again in (\d+) s/g)].map(([, seconds]) => Number(seconds));
  await eventually(() => delays().length >= 8);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  await stopSupervised(it, 1000);
  await ended;
  expect(delays().slice(0, 8)).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
});

test('one that is held stays down', async () => {
  const it = supervision();
  const child = start(it);
  const first = await runs(it);
  markReady(it);
  hold(it);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  signalProcess(first, 'SIGKILL');
  await ended;
  superviseAgain(it, shell);
  expect(processesOf(it)).toEqual([]);
  expect(restartsOf(it)).toEqual({ count: 0 });
});

test('a supervisor that was killed is followed by another, which adopts the process', async () => {
  const it = supervision();
  start(it);
  const first = await runs(it);
  markReady(it);
  const before = supervisorOf(it);
  superviseAgain(it, shell);
  expect(supervisorOf(it)).toEqual(before);
  if (before) signalProcess(before, 'SIGKILL');
  await eventually(() => supervisorOf(it) === undefined);
  superviseAgain(it, shell);
  // Two may come at once: one of them goes.
  superviseAgain(it, shell);
  await eventually(() => supervisorOf(it));
  await eventually(() => processesOf(it).length === 2);
  expect(isAlive(first)).toBe(true);
  signalProcess(first, 'SIGKILL');
  await runs(it, first.pid);
  expect(restartsOf(it)).toMatchObject({ count: 1, reason: 'while it had no supervisor to see why' });
});

test('a process and its supervisor that were both killed are started again', async () => {
  const it = supervision();
  start(it);
  const first = await runs(it);
  markReady(it);
  for (const each of [supervisorOf(it), first]) if (each) signalProcess(each, 'SIGKILL');
  await eventually(() => supervisorOf(it) === undefined);
  superviseAgain(it, shell);
  await runs(it, first.pid);
  expect(restartsOf(it).count).toBe(1);
});

test('whenever it is stopped, nothing is left and nothing comes after', async () => {
  for (let ms = 0; ms < 20; ms++) {
    const it = supervision();
    const child = start(it);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await sleep(ms);
    markReady(it);
    const process_ = readPidFile(it.pidFile);
    if (process_) signalProcess(process_, 'SIGKILL');
    await stopSupervised(it, 1000);
    // One that had not even written its own pid sees the hold, and ends by itself.
    await ended;
    await eventually(() => supervisorOf(it) === undefined && readPidFile(it.pidFile) === undefined);
  }
  // What a supervisor had begun to start when it was killed has seen that it is held.
  await eventually(() => made.flatMap(processesOf).length === 0);
  expect(made.map(supervisorOf)).toEqual(made.map(() => undefined));
});

test('the process is a program as any: no signal is ignored, no file of the supervisor is open, its words go to the log', async () => {
  const it = supervision();
  start(it, ['sh', '-c', 'grep SigIgn /proc/self/status; ls -l /proc/self/fd | grep -c supervised/; echo "[$0]" "$@"', 'a b', "it's", '$HOME *']);
  await eventually(() => existsSync(it.logFile) && log(it).includes('[a b]'));
  expect(log(it)).toMatch(/^SigIgn:\s+0+\n0\n\[a b\] it's \$HOME \*\n$/);
});
