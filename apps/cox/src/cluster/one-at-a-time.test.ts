import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { changing, describing } from './one-at-a-time.js';

const cluster = `t-${process.pid}`;

test('one command at a time changes a cluster; the second is told who is at work', async () => {
  let end = () => {};
  const first = changing(cluster, 'up', () => new Promise<string>((resolve) => (end = () => resolve('done'))));
  await expect(changing('other', 'up', async () => 1)).resolves.toBe(1);
  await expect(changing(cluster, 'down', async () => 1)).rejects.toMatchObject({
    message: `cox up (process ${process.pid}) is at work on cluster "${cluster}"`,
    hint: expect.stringContaining('wait for its end'),
  });
  end();
  expect(await first).toBe('done');
  await expect(changing(cluster, 'down', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await changing(cluster, 'down', async () => 2)).toBe(2);
});

test('one that was killed keeps nobody out', async () => {
  const module = fileURLToPath(new URL('one-at-a-time.ts', import.meta.url));
  const script = `const { changing } = await import(${JSON.stringify(module)}); await changing(${JSON.stringify(cluster)}, 'up', () => new Promise(() => { console.log('mine'); setInterval(() => {}, 1000); }));`;
  const args = ['--conditions=coxswain-source', '--import', 'tsx', '--input-type=module', '-e', script];
  const other = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(other.stdout, 'data');
  await expect(changing(cluster, 'down', async () => 1)).rejects.toThrow(`cox up (process ${other.pid}) is at work`);
  other.kill('SIGKILL');
  await once(other, 'exit');
  expect(await changing(cluster, 'down', async () => 1)).toBe(1);
});

test('descriptions are made in turn', async () => {
  const made: number[] = [];
  await Promise.all([1, 2, 3].map((n) => describing(() => made.push(n))));
  expect(made.sort()).toEqual([1, 2, 3]);
});
