import { expect, it } from 'vitest';
import { TestClock } from '../test-clock.js';
import { limitedTransport } from './limited-transport.js';
import type { Transport } from './transport.js';

it('lets a burst through, then so many a second', async () => {
  const clock = new TestClock();
  let sent = 0;
  const answer = { status: 200, headers: {}, body: new Uint8Array() };
  const transport: Transport = {
    request: async () => {
      sent++;
      return answer;
    },
    stream: async () => ({ ...answer, chunks: (async function* () {})() }),
    close: async () => {},
  };
  const limited = limitedTransport(transport, { qps: 10, burst: 3 }, clock, ({ path }) => path === '/free');
  const all = Array.from({ length: 5 }, () => limited.request({ method: 'GET', path: '/', headers: {} }));
  await Promise.all(all.slice(0, 3));
  expect(sent).toBe(3);
  await limited.request({ method: 'GET', path: '/free', headers: {} });
  expect(sent--).toBe(4);
  await clock.advance(100);
  await all[3];
  expect(sent).toBe(4);
  await clock.advance(100);
  await Promise.all(all);
  expect(sent).toBe(5);

  const abort = new AbortController();
  const given = limited.request({ method: 'GET', path: '/', headers: {}, signal: abort.signal });
  abort.abort(new Error('no longer'));
  await expect(given).rejects.toThrow('no longer');
});
