import { closeSync, openSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { processStat } from './process.js';
import { inNetns, programEnd, programOutput, runProgram, startProgram } from './program.js';

const shell = (script: string) => ({ path: '/bin/sh', args: ['-c', script], env: { GREETING: 'hello there' } });

test('a program has its arguments, its environment and nothing else of ours, in /', async () => {
  const { end, stderr } = await runProgram(shell('pwd >&2; echo "$GREETING" >&2; grep SigIgn /proc/self/status >&2; env | wc -l >&2; exit 3'));
  expect(end).toEqual({ code: 3 });
  // Of Node's signals that are ignored, none stays so. The shell adds PWD.
  expect(stderr).toBe('/\nhello there\nSigIgn:\t0000000000000000\n2\n');
});

test('the end by a signal is told from a code', async () => {
  expect((await runProgram(shell('kill -TERM $$'))).end).toEqual({ signal: 'SIGTERM' });
  expect([0, 0x100, 0xff00, 9, 0x8b].map(programEnd)).toEqual([{ code: 0 }, { code: 1 }, { code: 255 }, { signal: 'SIGKILL' }, { signal: 'SIGSEGV' }]);
});

test('what cannot be run is said, and leaves no descriptor', async () => {
  const before = openPipes();
  await expect(runProgram({ path: '/bin/not-there', args: [], env: {} })).rejects.toMatchObject({
    code: 'ENOENT',
    message: expect.stringContaining('/bin/not-there'),
  });
  await expect(runProgram({ path: '/etc/passwd', args: [], env: {} })).rejects.toMatchObject({ code: 'EACCES' });
  expect(openPipes()).toBe(before);
});

test('descriptors are ours, pipes or nothing, in any order, and nobody is left as a zombie', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'program-test-'));
  try {
    const file = openSync(join(dir, 'out'), 'w');
    const program = await startProgram({
      ...shell('echo one; echo two >&2; echo three >&3; cat <&0; echo four >&4'),
      descriptors: ['null', 'pipe', file, 'pipe', file],
    });
    closeSync(file);
    expect(await Promise.all([text(program.pipe(1)), text(program.pipe(3))])).toEqual(['one\n', 'three\n']);
    expect(() => program.pipe(2)).toThrow(RangeError);
    expect(await program.reap()).toEqual({ code: 0 });
    expect(readFileSync(join(dir, 'out'), 'utf8')).toBe('two\nfour\n');
    expect(processStat(program.pid)).toBeUndefined();
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('one in a session of its own leads it', async () => {
  const sessionOf = async (newSession: boolean) => {
    const program = await startProgram({ ...shell('cut -d" " -f6 /proc/$$/stat'), descriptors: ['null', 'pipe', 'null'], newSession });
    const session = Number(await text(program.pipe(1)));
    await program.reap();
    return session === program.pid;
  };
  expect([await sessionOf(true), await sessionOf(false)]).toEqual([true, false]);
});

test('its end is told also when it ends after it was asked for', async () => {
  const program = await startProgram({ ...shell('exec 3>&-; sleep 0.05; exit 7'), descriptors: ['null', 'null', 'null', 'pipe'] });
  expect(await program.endAfter(3)).toEqual({ code: 7 });
});

test('a program is found by its name, reads what it is given and answers', async () => {
  const before = openPipes();
  const input = 'x'.repeat(300_000);
  const { end, stdout, stderr } = await programOutput({ path: 'sh', args: ['-c', 'cat; echo said >&2; exit 4'], env: {}, input, timeoutMs: 10_000 });
  expect({ end, stderr, same: stdout === input }).toEqual({ end: { code: 4 }, stderr: 'said\n', same: true });
  await expect(programOutput({ path: 'not-there', args: [], env: {}, timeoutMs: 10_000 })).rejects.toMatchObject({ code: 'ENOENT' });
  expect(openPipes()).toBe(before);
});

test('a program that does not read its input ends as it likes', async () => {
  const { end } = await programOutput({ ...shell('exit 5'), input: 'x'.repeat(300_000), timeoutMs: 10_000 });
  expect(end).toEqual({ code: 5 });
});

test('a program is killed when nobody waits for it any more, or for too long', async () => {
  const forever = { ...shell('echo $$ >&2; exec sleep 60') };
  await expect(programOutput({ ...forever, timeoutMs: 20 })).rejects.toThrow('/bin/sh did not end within 20 ms');
  const stop = new AbortController();
  const running = programOutput({ ...forever, timeoutMs: 10_000, signal: stop.signal });
  setImmediate(() => stop.abort(new Error('enough')));
  await expect(running).rejects.toThrow('enough');
  await expect(programOutput({ ...forever, timeoutMs: 10_000, signal: stop.signal })).rejects.toThrow('enough');
});

test('a program that is killed is not waited for through what it started', async () => {
  const before = performance.now();
  await expect(programOutput({ ...shell('sleep 30; true'), timeoutMs: 50 })).rejects.toThrow('did not end within 50 ms');
  expect(performance.now() - before).toBeLessThan(10_000);
});

test('what reads cannot be read from', async () => {
  const program = await startProgram({ ...shell('cat'), descriptors: ['input', 'pipe', 'null'] });
  expect(() => program.pipe(0)).toThrow('no pipe');
  expect(() => program.input(1)).toThrow('no input');
  program.input(0).end('hello');
  expect(await text(program.pipe(1))).toBe('hello');
  expect(await program.reap()).toEqual({ code: 0 });
});

test('a network namespace is entered by nsenter', () => {
  expect(inNetns('/run/netns/a', 'nft', ['list'])).toEqual({ path: 'nsenter', args: ['--net=/run/netns/a', 'nft', 'list'] });
});

function openPipes(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('pipe:');
    } catch {
      return false;
    }
  }).length;
}
