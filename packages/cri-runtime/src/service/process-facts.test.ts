import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { processFacts } from './process-facts.js';

it('counts what a process has open, and knows what it is at', async () => {
  const before = await processFacts([process.pid]);
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const after = await processFacts([process.pid]);
  server.close();
  expect(after.sockets).toBeGreaterThan(before.sockets);
  expect(after.descriptors).toBeGreaterThanOrEqual(after.sockets);
  expect(Object.values(after.states).reduce((sum, n) => sum + n, 0)).toBe(1);
  expect(after.openFiles).toBeGreaterThan(0);
  expect(await processFacts([])).toMatchObject({ count: 0, descriptors: 0, sockets: 0, openFiles: undefined });
});
