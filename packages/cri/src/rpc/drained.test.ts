import { EventEmitter, getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { drained } from './drained.js';

it('leaves no listener behind, whichever comes first', async () => {
  const stream = new EventEmitter();
  const stop = new AbortController();
  const listeners = () => [stream.listenerCount('drain'), getEventListeners(stop.signal, 'abort').length];
  const first = drained(stream, stop.signal);
  expect(listeners()).toEqual([1, 1]);
  stream.emit('drain');
  await first;
  expect(listeners()).toEqual([0, 0]);
  const second = drained(stream, stop.signal);
  stop.abort();
  await second;
  await drained(stream, stop.signal);
  expect(listeners()).toEqual([0, 0]);
});
