import type { Transport, TransportRequest } from '@coxswain/client';
import { FakeClock } from '@coxswain/sdk-testing';
import { expect, it } from 'vitest';
import { ThrottledTransport } from './throttled-transport.js';

it('lets so many requests a second pass after a burst; events and leases always', async () => {
  const clock = new FakeClock();
  const sent: string[] = [];
  const inner: Transport = {
    async request({ path }: TransportRequest) {
      sent.push(path);
      return { status: 200, headers: {}, body: new Uint8Array() };
    },
    stream: () => Promise.reject(new Error('not asked for')),
    close: async () => {},
  };
  const transport = new ThrottledTransport(inner, clock, 2, 2);
  const ask = (path: string) => transport.request({ method: 'GET', path, headers: {} });
  const all = ['/1', '/2', '/3', '/4'].map(ask);
  await ask('/api/v1/namespaces/default/events');
  await ask('/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/n');
  expect(sent.filter((path) => path.length === 2)).toEqual(['/1', '/2']);
  expect(sent).toHaveLength(4);
  await clock.advance(500);
  expect(sent).toHaveLength(5);
  await clock.advance(500);
  await Promise.all(all);
  expect(sent.slice(4)).toEqual(['/3', '/4']);
});
