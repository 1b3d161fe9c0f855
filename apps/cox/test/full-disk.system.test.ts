import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ClusterFixture, eventually } from './cluster-fixture.js';

// Slow: boots a whole cluster on a small disk of its own.
const cluster = new ClusterFixture('t-full');
const disk = join(cluster.folder, 'state');
mkdirSync(disk, { recursive: true });
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=640m', 'tmpfs', disk]);
afterAll(async () => {
  await cluster.cox(['down', '--name', cluster.name, '--purge'], { timeoutMs: 90_000 });
  execFileSync('umount', [disk]);
  await cluster[Symbol.asyncDispose]();
});

/** Writes until nothing more fits, however much the cluster writes meanwhile. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (const size of [1024 * 1024, 4096]) {
      const bytes = Buffer.alloc(size);
      try {
        for (;;) writeSync(file, bytes);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
  } finally {
    closeSync(file);
  }
}

test('a full disk refuses writes by name, keeps reads, kills nobody, and heals', async () => {
  await cluster.up();
  const ballast = join(disk, 'ballast');
  fill(ballast);
  const pids = (['control-plane', 'node'] as const).map((role) => cluster.pid(role));

  // A small one may still find room in what is allocated already.
  const large = `--from-literal=a=${'b'.repeat(100_000)}`;
  const refused = await cluster.kubectlRaw(['create', 'configmap', 'too-late', large]);
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('no space left');
  expect(await cluster.kubectl('get', 'nodes')).toContain('Ready');
  expect((await cluster.cox(['status', '--name', cluster.name])).code).toBe(1);

  rmSync(ballast);
  await eventually('writes are taken again', () => cluster.kubectl('create', 'configmap', 'in-time', '--from-literal=a=b'));
  for (const pid of pids) expect(() => process.kill(pid, 0)).not.toThrow();
  await eventually('the cluster is healthy', () => cluster.mustCox('status', '--name', cluster.name));
});

test('no cluster is begun where there is no room for it', async () => {
  const ballast = join(disk, 'ballast');
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(ballast, Buffer.alloc(bavail * bsize - 100 * 1024 * 1024));
  const result = await cluster.cox(['up', '--name', 'other']);
  rmSync(ballast);
  expect(result.code).toBe(1);
  expect(result.stderr).toMatch(/MiB free on .*; at least 512 MiB are needed/);
});
