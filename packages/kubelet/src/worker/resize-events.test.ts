import type { Pod } from '@coxswain/api';
import { expect, it } from 'vitest';
import { ResizeEvents } from './resize-events.js';

it('a resize is told of once each time: that it waits, begins, is done or fails', () => {
  const told: string[] = [];
  const events = new ResizeEvents({
    events: { pod: (_pod, type, reason, message) => void told.push(`${type} ${reason}: ${message}`), node: () => {} },
  });
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', generation: 3 },
    spec: { containers: [{ name: 'c', resources: { requests: { memory: '1Gi', cpu: '1' }, limits: { cpu: '2' } } }] },
  };
  const asked = '{"containers":[{"name":"c","resources":{"limits":{"cpu":"2"},"requests":{"cpu":"1","memory":"1Gi"}}}],"generation":3';
  events.settled(pod);
  events.pending(pod, 'Deferred', 'no room');
  events.pending(pod, 'Deferred', 'no room');
  events.started(pod);
  events.started(pod);
  events.settled(pod);
  events.settled(pod);
  events.started(pod);
  events.failed(pod, 'busy');
  expect(told).toEqual([
    `Warning ResizeDeferred: Pod resize Deferred: ${asked},"error":"no room"}`,
    `Normal ResizeStarted: Pod resize started: ${asked}}`,
    `Normal ResizeCompleted: Pod resize completed: ${asked}}`,
    `Normal ResizeStarted: Pod resize started: ${asked}}`,
    `Warning ResizeError: Pod resize error: ${asked},"error":"busy"}`,
  ]);
});
