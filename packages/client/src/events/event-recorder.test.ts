import type { KubeObject } from '@coxswain/api';
import { describe, expect, it } from 'vitest';
import { KubeClient } from '../rest/kube-client.js';
import { noRandom, settle, TestClock } from '../test-clock.js';
import { connectionRefused, TestServer } from '../test-server.js';
import { ApiEventRecorder } from './event-recorder.js';

const pod: KubeObject = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'default', uid: 'u' } };

function setup(limit: { qps?: number; burst?: number } = {}) {
  const server = new TestServer();
  const clock = new TestClock();
  let n = 0;
  const random = { ...noRandom, int: () => n++ };
  const recorder = new ApiEventRecorder({ client: new KubeClient({ transport: server, clock }), component: 'kubelet', host: 'n1', clock, random, ...limit });
  return { server, clock, recorder, events: () => [...server.objects.values()] };
}

describe('ApiEventRecorder', () => {
  it('writes an event as upstream does', async () => {
    const { recorder, events } = setup();
    recorder.event(pod, 'Normal', 'Pulled', 'ok');
    await recorder.stop();
    expect(events()).toMatchObject([
      {
        kind: 'Event',
        metadata: { namespace: 'default' },
        involvedObject: { kind: 'Pod', name: 'web', namespace: 'default', uid: 'u', apiVersion: 'v1' },
        type: 'Normal',
        reason: 'Pulled',
        message: 'ok',
        count: 1,
        source: { component: 'kubelet', host: 'n1' },
        reportingComponent: 'kubelet',
        firstTimestamp: '2026-01-01T00:00:00Z',
      },
    ]);
  });

  it('counts the same event instead of writing it again; writes a new one when the old is gone', async () => {
    const { server, clock, recorder, events } = setup();
    recorder.event(pod, 'Warning', 'BackOff', 'again');
    await clock.advance(5000);
    recorder.event(pod, 'Warning', 'BackOff', 'again');
    await settle();
    expect(events()).toMatchObject([{ count: 2, firstTimestamp: '2026-01-01T00:00:00Z', lastTimestamp: '2026-01-01T00:00:05Z' }]);
    server.objects.clear();
    recorder.event(pod, 'Warning', 'BackOff', 'again');
    await recorder.stop();
    expect(events()).toMatchObject([{ count: 3 }]);
  });

  it('writes so many a second after a burst; none is lost', async () => {
    const { clock, recorder, events } = setup({ qps: 2, burst: 1 });
    for (const reason of ['A', 'B', 'C']) recorder.event(pod, 'Normal', reason, reason);
    const written = async () => {
      await settle();
      return events().map((event) => event['reason']);
    };
    expect(await written()).toEqual(['A']);
    await clock.advance(500);
    expect(await written()).toEqual(['A', 'B']);
    await clock.advance(500);
    expect(await written()).toEqual(['A', 'B', 'C']);
    await recorder.stop();
  });

  it('combines many similar ones, and drops what is too much', async () => {
    const { recorder, events } = setup();
    for (let i = 0; i < 40; i++) recorder.event(pod, 'Normal', 'R', `message ${i}`);
    await recorder.stop();
    expect(events()).toHaveLength(10);
    expect(events()[9]).toMatchObject({ message: '(combined from similar events): message 24', count: 16 });
  });

  it('waits for a server that is away, gives up on one that refuses', async () => {
    const { server, clock, recorder, events } = setup();
    server.fail = () => connectionRefused();
    recorder.event(pod, 'Normal', 'R', 'm');
    await clock.advance(15_000);
    server.fail = undefined;
    await clock.advance(10_000);
    await recorder.stop();
    expect(events()).toHaveLength(1);
  });
});
