import { request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ComponentServer, serveComponent } from './component-server.js';
import { profileAnswer } from './profiling.js';

let on: ComponentServer;
let off: ComponentServer;
beforeAll(async () => {
  const options = { address: '127.0.0.1', port: 0, checks: {} };
  on = await serveComponent({ ...options, profiling: true });
  off = await serveComponent(options);
});
afterAll(async () => {
  await on.close();
  await off.close();
});

const get = ({ port }: ComponentServer, path: string) =>
  new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
    const outgoing = request({ host: '127.0.0.1', port, path, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => resolve({ status: answer.statusCode, text: Buffer.concat(chunks).toString() }));
    });
    outgoing.on('error', reject);
    outgoing.end();
  });

function spinForTheProfile(): number {
  let sum = 0;
  for (let i = 0; i < 2_000_000; i++) sum += Math.sqrt(i);
  return sum;
}

it('CPU profiles name what ran, one at a time', async () => {
  const { signal } = new AbortController();
  const first = profileAnswer('/debug/pprof/profile', new URLSearchParams('seconds=0.2'), signal);
  const second = await profileAnswer('/debug/pprof/allocs', new URLSearchParams(), signal);
  expect(second).toMatchObject({ status: 500, body: 'Could not enable allocation profiling: profiling is already in use\n' });
  expect((await first)?.status).toBe(200);
  let answered = false;
  const profiled = get(on, '/debug/pprof/profile?seconds=0.5').finally(() => (answered = true));
  while (!answered) {
    spinForTheProfile();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { nodes, samples } = JSON.parse((await profiled).text) as {
    nodes: { callFrame: { functionName: string } }[];
    samples: number[];
  };
  expect(nodes.map(({ callFrame }) => callFrame.functionName)).toContain('spinForTheProfile');
  expect(samples.length).toBeGreaterThan(0);
  expect(JSON.parse((await get(on, '/debug/pprof/allocs?seconds=0.1')).text)).toHaveProperty('head');
});

it('what is in memory is a snapshot', { timeout: 120_000 }, async () => {
  const { status, text } = await get(on, '/debug/pprof/heap');
  expect(status).toBe(200);
  expect(text.slice(0, 20)).toContain('{"snapshot"');
});

it('tells what there is, and what there is not', async () => {
  expect((await get(on, '/debug/pprof/')).text).toContain('profile: where CPU time went');
  expect((await get(on, '/debug/pprof/cmdline')).text.split('\0')[0]).toBe(process.argv[0]);
  expect(await get(on, '/debug/pprof/goroutine')).toMatchObject({ status: 404, text: expect.stringContaining('Unknown profile "goroutine"') });
  for (const path of ['/debug/pprof/', '/debug/pprof/profile']) expect((await get(off, path)).status).toBe(404);
});
