import { describe, expect, it } from 'vitest';
import { KubeClient } from '../rest/kube-client.js';
import { noRandom, settle, TestClock } from '../test-clock.js';
import { connectionRefused, TestServer } from '../test-server.js';
import { LeaderElector } from './leader-elector.js';

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/lock';

function setup() {
  const server = new TestServer();
  const clock = new TestClock();
  const start = (identity: string, releaseOnCancel = true, how: 'run' | 'campaign' = 'run') => {
    const abort = new AbortController();
    const log: string[] = [];
    const client = new KubeClient({ transport: server, clock });
    const elector = new LeaderElector({ client, namespace: 'kube-system', name: 'lock', identity, clock, random: noRandom, releaseOnCancel });
    const run = elector[how](
      (signal) =>
        new Promise((resolve) => {
          log.push('lead');
          signal.addEventListener('abort', () => {
            log.push('end');
            resolve();
          });
        }),
      abort.signal,
    );
    return { abort, log, run, elector };
  };
  return { server, clock, start, holder: () => server.objects.get(LEASE)?.['spec'] };
}

describe('LeaderElector', () => {
  it('leads when nobody does, renews, and keeps others waiting', async () => {
    const { clock, start, holder } = setup();
    const a = start('a');
    await settle();
    const b = start('b');
    await clock.advance(60_000);
    expect([a.log, b.log, b.elector.leader]).toEqual([['lead'], [], 'a']);
    expect(holder()).toMatchObject({ holderIdentity: 'a', leaseDurationSeconds: 15, leaseTransitions: 0 });
    a.abort.abort();
    b.abort.abort();
    expect([await a.run, await b.run]).toEqual(['stopped', 'stopped']);
  });

  it('gives the lease up when stopped, after its work has ended, so that the next leads at once', async () => {
    const { clock, start, holder } = setup();
    const a = start('a');
    await settle();
    const b = start('b');
    await clock.advance(1000);
    a.abort.abort();
    expect(await a.run).toBe('stopped');
    expect([a.log, holder()]).toMatchObject([['lead', 'end'], { holderIdentity: '' }]);
    await clock.advance(2500);
    expect([b.log, holder()]).toMatchObject([['lead'], { holderIdentity: 'b', leaseTransitions: 1 }]);
    b.abort.abort();
    await b.run;
  });

  it('takes over a lease that is not renewed, not before its duration', async () => {
    const { clock, start, server } = setup();
    server.put(LEASE, {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'lock', namespace: 'kube-system' },
      spec: { holderIdentity: 'dead', leaseDurationSeconds: 15, leaseTransitions: 4 },
    });
    const b = start('b');
    await clock.advance(14_900);
    expect(b.log).toEqual([]);
    await clock.advance(4_000);
    expect(b.log).toEqual(['lead']);
    b.abort.abort();
    await b.run;
  });

  it('stops leading when it cannot renew in time', async () => {
    const { clock, start, server } = setup();
    const a = start('a');
    await clock.advance(3000);
    server.fail = () => connectionRefused();
    await clock.advance(8_900);
    expect(a.log).toEqual(['lead']);
    expect(a.elector.holds).toBe(true);
    await clock.advance(4_000);
    expect(a.elector.holds).toBe(false);
    expect(a.log).toEqual(['lead', 'end']);
    expect(await a.run).toBe('lost');
  });

  it('stops leading when somebody else holds the lease', async () => {
    const { clock, start, server } = setup();
    const a = start('a');
    await clock.advance(3000);
    const lease = server.objects.get(LEASE)!;
    server.put(LEASE, { ...lease, spec: { ...lease['spec'], holderIdentity: 'thief' } });
    await clock.advance(2500);
    expect(await a.run).toBe('lost');
    expect(server.objects.get(LEASE)?.['spec'].holderIdentity).toBe('thief');
  });

  it('takes part again after it lost the lease, and leads once the other is gone', async () => {
    const { clock, start, server } = setup();
    const a = start('a', true, 'campaign');
    await clock.advance(3000);
    const lease = server.objects.get(LEASE)!;
    server.put(LEASE, { ...lease, spec: { ...lease['spec'], holderIdentity: 'thief', leaseTransitions: 1 } });
    await clock.advance(10_000);
    expect(a.log).toEqual(['lead', 'end']);
    await clock.advance(10_000);
    expect(a.log).toEqual(['lead', 'end', 'lead']);
    expect(server.objects.get(LEASE)?.['spec']).toMatchObject({ holderIdentity: 'a', leaseTransitions: 2 });
    a.abort.abort();
    expect(await a.run).toBe('stopped');
  });

  it('asks with one signal as long as it leads: joined ones stay in memory', async () => {
    const { server, clock, start } = setup();
    const signals = new Set<AbortSignal | undefined>();
    const request = server.request.bind(server);
    server.request = (wanted) => {
      if (wanted.method === 'PUT') signals.add(wanted.signal);
      return request(wanted);
    };
    start('a');
    await clock.advance(60_000);
    expect(signals.size).toBe(1);
  });
});
