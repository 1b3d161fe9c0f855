import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LauncherOptions, launcherProgram } from './launcher.js';
import { namespacesProgram } from './namespaces-program.js';
import { hostElfArch, KEEPER_RECORD_BYTES, keeperProgram, pauseProgram } from './programs.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'elf-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const install = (name: string, bytes: Uint8Array) => {
  const path = join(dir, name);
  writeFileSync(path, bytes, { mode: 0o755 });
  return path;
};

describe('the pause program', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('waits, and exits with 0 on %s', async (signal) => {
    const child = spawn(install(`pause-${signal}`, pauseProgram(hostElfArch())), [], { stdio: 'ignore' });
    await once(child, 'spawn');
    // Sleeping: it waits for signals (the kernel shows waited-for signals as not blocked).
    const state = () => /State:\s+(\w)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
    const name = () => readFileSync(`/proc/${child.pid}/comm`, 'utf8').trim();
    await expect.poll(() => name().startsWith('pause') && state()).toBe('S');
    child.kill('SIGCHLD');
    child.kill('SIGHUP');
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('is tiny and well-formed for both architectures', () => {
    for (const arch of ['x64', 'arm64'] as const) {
      const bytes = Buffer.from(pauseProgram(arch));
      expect(bytes.length).toBeLessThan(512);
      expect(bytes.readUInt16LE(18)).toBe(arch === 'x64' ? 62 : 183);
    }
  });
});

describe('the keeper', () => {
  it('opens paths as the descriptors it is told, closes them, and ends with its input', async () => {
    const child = spawn(install('keeper', keeperProgram(hostElfArch())), [], { stdio: ['pipe', 'ignore', 'ignore'] });
    const fifo = join(dir, 'fifo');
    spawnSync('mkfifo', [fifo]);
    const send = (slot: number, path: string) => {
      const record = Buffer.alloc(KEEPER_RECORD_BYTES);
      record.writeUInt32LE(slot);
      record.write(path, 4);
      child.stdin?.write(record);
    };
    const held = (slot: number) => (existsSync(`/proc/${child.pid}/fd/${slot}`) ? readlinkSync(`/proc/${child.pid}/fd/${slot}`) : undefined);
    send(40, fifo);
    await expect.poll(() => held(40)).toBe(fifo);
    send(41, join(dir, 'missing'));
    send(40, '');
    await expect.poll(() => held(40)).toBeUndefined();
    expect(held(41)).toBeUndefined();
    child.stdin?.end();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});

describe('the holder of namespaces', () => {
  const CLONE_NEWUSER = 0x10000000;
  const ask = (flags: number) => {
    const child = spawn(install('namespaces', namespacesProgram(hostElfArch())), [], { stdio: ['pipe', 'pipe', 'ignore'] });
    const wish = Buffer.alloc(4);
    wish.writeUInt32LE(flags);
    child.stdin.write(wish);
    return child;
  };

  it('enters new ones, says so, and ends with its input', async () => {
    const child = ask(CLONE_NEWUSER);
    await once(child.stdout, 'data');
    expect(readlinkSync(`/proc/${child.pid}/ns/user`)).not.toBe(readlinkSync('/proc/self/ns/user'));
    child.stdin.end();
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it('tells what the kernel says to nonsense', async () => {
    expect(await once(ask(0x1000), 'exit')).toEqual([256 - constants.errno.EINVAL, null]);
  });

  it('is tiny and well-formed for both architectures', () => {
    for (const arch of ['x64', 'arm64'] as const) {
      const bytes = Buffer.from(namespacesProgram(arch));
      expect(bytes.length).toBeLessThan(512);
      expect(bytes.readUInt16LE(18)).toBe(arch === 'x64' ? 62 : 183);
    }
  });
});

describe.each<[string, Omit<LauncherOptions, 'program'>]>([
  ['plain', {}],
  ['without a mount', { without: { mountPoint: '/no/mount', parent: '/no' } }],
])('the launcher, %s', (kind, options) => {
  const launcher = (name: string, program: string) => install(`${name}-${kind.replaceAll(' ', '-')}`, launcherProgram(hostElfArch(), { program, ...options }));

  it('becomes the program, with its arguments and environment', () => {
    const script = String.raw`printf '%s\n' "$0" "$@" "$VALUE"`;
    const { stdout, status } = spawnSync(launcher('launch', '/bin/sh'), ['-c', script, 'zero', 'one', 'two words'], {
      env: { VALUE: 'kept' },
      encoding: 'utf8',
    });
    expect([status, stdout]).toEqual([0, 'zero\none\ntwo words\nkept\n']);
  });

  it('runs it out of memory, where nobody can write to it', () => {
    const { stdout } = spawnSync(launcher('launch-sh', '/bin/sh'), ['-c', 'readlink /proc/$$/exe; (: > /proc/$$/exe) 2>/dev/null || echo sealed'], {
      encoding: 'utf8',
    });
    expect(stdout).toBe('/memfd:/bin/sh (deleted)\nsealed\n');
  });

  it('runs the file where it cannot be copied', () => {
    // A script's interpreter could not open what is closed when it starts.
    const script = install('script', Buffer.from('#!/bin/sh\necho "script $1"\n'));
    expect(spawnSync(launcher('launch-script', script), ['one'], { encoding: 'utf8' }).stdout).toBe('script one\n');
  });

  it('hands on how the program ended, and ends with 127 when there is none', () => {
    expect(spawnSync(launcher('launch-false', '/bin/sh'), ['-c', 'exit 3']).status).toBe(3);
    expect(spawnSync(launcher('launch-none', join(dir, 'missing')), []).status).toBe(127);
  });

  it('is well-formed for both architectures', () => {
    for (const arch of ['x64', 'arm64'] as const) {
      const bytes = Buffer.from(launcherProgram(arch, { program: '/usr/bin/crun', ...options }));
      expect(bytes.length).toBeLessThan(768);
      expect(bytes.includes('/usr/bin/crun\0')).toBe(true);
    }
  });
});
