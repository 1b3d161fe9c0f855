import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findShims, killShims } from './shims.js';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'cox-shims-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

it('shims of one containerd end with the sockets they listen on, those that hear nothing too; other files and shims stay', async () => {
  const other = join(dir, 'other');
  writeFileSync(other, '');
  const shims = await Promise.all(['mine', 'deaf', 'foreign'].map((name) => shim(name, join(dir, name === 'foreign' ? 'b.sock' : 'a.sock'))));
  shims[1]?.kill('SIGSTOP');
  try {
    await killShims(join(dir, 'a.sock'));
    expect(findShims(join(dir, 'a.sock'))).toEqual([]);
    expect(findShims(join(dir, 'b.sock'))).toHaveLength(1);
    expect(['mine', 'deaf', 'foreign', 'other'].filter((name) => existsSync(join(dir, name)))).toEqual(['foreign', 'other']);
  } finally {
    for (const child of shims) child.kill('SIGKILL');
  }
});

/** A process that looks and listens like a shim. */
async function shim(name: string, containerd: string) {
  const listen = `require('net').createServer().listen(${JSON.stringify(join(dir, name))}, () => console.log('ready'))`;
  const child = spawn(process.execPath, ['-e', listen, '--', '-address', containerd], { argv0: 'containerd-shim-test', stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return child;
}
