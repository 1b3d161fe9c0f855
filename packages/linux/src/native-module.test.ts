import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { beforeRequire } from './native-module.js';

it('what a package manager has linked is found where it is, also right after a pipe was looked at', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cox-native-'));
  try {
    for (const name of ['a', 'b']) {
      mkdirSync(join(folder, 'store', name), { recursive: true });
      writeFileSync(join(folder, 'store', name, 'index.js'), 'module.exports = __dirname;');
      mkdirSync(join(folder, 'app/node_modules'), { recursive: true });
      symlinkSync(`../../store/${name}`, join(folder, 'app/node_modules', name));
    }
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    const load = createRequire(join(folder, 'app/main.js'));
    expect(load('a')).toBe(join(folder, 'store/a'));
    statSync(join(folder, 'pipe'));
    beforeRequire();
    expect(load('b')).toBe(join(folder, 'store/b'));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
