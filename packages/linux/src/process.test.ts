import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { findProcesses, isAlive, untilEnded } from './process.js';

const clock = { monotonic: () => performance.now(), sleep: (ms: number) => sleep(ms) };

it('a process is found by its arguments, and killed when it stays for too long', async () => {
  const mark = `mark-${process.pid}`;
  // Deaf to what it is asked politely.
  const child = spawn('sh', ['-c', 'trap "" TERM; while :; do sleep 1; done', mark], { stdio: 'ignore' });
  try {
    const ours = () => findProcesses((args) => args[0] === 'sh' && args.includes(mark));
    await expect.poll(ours).toMatchObject([{ pid: child.pid }]);
    const [found] = ours();
    child.kill('SIGTERM');
    await untilEnded(ours(), 50, clock);
    expect(found && isAlive(found)).toBe(false);
    expect(ours()).toEqual([]);
  } finally {
    child.kill('SIGKILL');
  }
});
