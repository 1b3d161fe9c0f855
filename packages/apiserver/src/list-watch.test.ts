import { Agent, get } from 'node:https';
import fc from 'fast-check';
import { systemRandom } from '@coxswain/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeContinue } from './storage/continue-token.js';
import { configMap, startTestServer } from './testing/start-test-server.js';
import type { TestServer, WatchLine } from './testing/start-test-server.js';

let api: TestServer;
beforeAll(async () => {
  api = await startTestServer();
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});

let serial = 0;
async function namespace(): Promise<string> {
  const name = `lw-${++serial}`;
  await api.call('POST', '/api/v1/namespaces', { metadata: { name } });
  return `/api/v1/namespaces/${name}/configmaps`;
}
const create = async (url: string, name: string, extra: object = {}) => (await api.call('POST', url, configMap(name, extra))).json;
const names = (list: { items: { metadata: { name: string } }[] }) => list.items.map((item) => item.metadata.name);

describe('list', () => {
  it('pages through one consistent state', async () => {
    const url = await namespace();
    for (const name of ['a', 'b', 'c', 'd', 'e']) await create(url, name);
    const first = (await api.call('GET', `${url}?limit=2`)).json;
    expect(names(first)).toEqual(['a', 'b']);
    expect(first.metadata.remainingItemCount).toBe(3);
    await create(url, 'aa');
    await api.call('DELETE', `${url}/c`);
    const second = (await api.call('GET', `${url}?limit=2&continue=${first.metadata.continue}`)).json;
    expect(names(second)).toEqual(['c', 'd']);
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
    const third = (await api.call('GET', `${url}?limit=2&continue=${second.metadata.continue}`)).json;
    expect(names(third)).toEqual(['e']);
    expect(third.metadata.continue).toBeUndefined();
  });

  it('answers 410 for a continue token from before a compaction, with one to go on inconsistently', async () => {
    const url = await namespace();
    for (const name of ['a', 'b', 'c']) await create(url, name);
    const first = (await api.call('GET', `${url}?limit=1`)).json;
    await create(url, 'd');
    await api.store.compact(api.store.currentRevision?.() as number);
    const expired = await api.call('GET', `${url}?limit=1&continue=${first.metadata.continue}`);
    expect(expired.json).toMatchObject({ code: 410, reason: 'Expired' });
    expect(expired.json.message).toContain('The provided continue parameter is too old');
    expect(decodeContinue(expired.json.metadata.continue)?.revision).toBe(-1);
    expect(names((await api.call('GET', `${url}?continue=${expired.json.metadata.continue}`)).json)).toEqual(['b', 'c', 'd']);
  });

  it('reads old revisions exactly and waits for new ones only so long', async () => {
    const url = await namespace();
    const { metadata } = await create(url, 'a');
    await create(url, 'b');
    const exact = (await api.call('GET', `${url}?resourceVersion=${metadata.resourceVersion}&resourceVersionMatch=Exact`)).json;
    expect([names(exact), exact.metadata.resourceVersion]).toEqual([['a'], metadata.resourceVersion]);
    expect(names((await api.call('GET', `${url}?resourceVersion=${metadata.resourceVersion}`)).json)).toEqual(['a', 'b']);
    expect((await api.call('GET', `${url}?resourceVersionMatch=Exact`)).json).toMatchObject({
      code: 422,
      message: expect.stringContaining('resourceVersionMatch is forbidden unless resourceVersion is provided'),
    });
    expect((await api.call('GET', `${url}?resourceVersion=99999999`)).json).toMatchObject({
      code: 504,
      details: { causes: [{ reason: 'ResourceVersionTooLarge' }] },
    });
  });

  it('selects by labels and fields', async () => {
    const url = await namespace();
    await create(url, 'a', { metadata: { name: 'a', labels: { x: '1' } } });
    await create(url, 'b', { metadata: { name: 'b', labels: { x: '2' } } });
    expect(names((await api.call('GET', `${url}?labelSelector=x%20in%20(1,3)`)).json)).toEqual(['a']);
    expect(names((await api.call('GET', `${url}?fieldSelector=metadata.name!%3Da`)).json)).toEqual(['b']);
    expect(names((await api.call('GET', `/api/v1/configmaps?fieldSelector=metadata.name%3Db`)).json)).toContain('b');
    expect((await api.call('GET', `${url}?fieldSelector=spec.x%3D1`)).json).toMatchObject({
      code: 400,
      message: expect.stringContaining('field label not supported: spec.x'),
    });
  });
});

describe('watch', () => {
  const types = (events: readonly WatchLine[]) => events.map((event) => `${event.type} ${event.object.metadata?.name}`);

  it('begins with what is there, or after a revision, and shows the state at the delete', async () => {
    const url = await namespace();
    const { metadata } = await create(url, 'a');
    const fromNow = api.watch(`${url}?watch=1`, (events) => events.length >= 3);
    const fromThen = api.watch(`${url}?watch=1&resourceVersion=${metadata.resourceVersion}`, (events) => events.length >= 2);
    await api.call('PUT', `${url}/a`, configMap('a', { data: { k: 'v' } }));
    await api.call('DELETE', `${url}/a`);
    expect(types(await fromThen)).toEqual(['MODIFIED a', 'DELETED a']);
    const events = await fromNow;
    expect(types(events).at(-1)).toBe('DELETED a');
    expect(events.at(-1)?.object.data).toEqual({ k: 'v' });
    expect(Number(events.at(-1)?.object.metadata.resourceVersion)).toBeGreaterThan(Number(events.at(-2)?.object.metadata.resourceVersion));
  });

  it('turns entering and leaving a selection into ADDED and DELETED', async () => {
    const url = await namespace();
    const { metadata } = await create(url, 'a');
    const label = (value: string) => api.call('PATCH', `${url}/a`, { metadata: { labels: { x: value } } }, { type: 'application/merge-patch+json' });
    await label('in');
    await label('in2');
    await label('out');
    const events = await api.watch(`${url}?watch=1&labelSelector=x%20in%20(in,in2)&resourceVersion=${metadata.resourceVersion}`, (seen) => seen.length >= 3);
    expect(types(events)).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a']);
    expect(events[2]?.object.metadata.labels).toEqual({ x: 'in2' });
  });

  it('marks the end of the initial events with a bookmark', async () => {
    const url = await namespace();
    await create(url, 'a');
    const query = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
    const events = await api.watch(`${url}?${query}`, (seen) => seen.length >= 2);
    expect(events.map((event) => event.type)).toEqual(['ADDED', 'BOOKMARK']);
    expect(events[1]?.object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' });
  });

  it('ends with 410 Expired for a revision it does not know any more, and after timeoutSeconds', async () => {
    const url = await namespace();
    // What a server has not seen itself it does not know.
    await using second = await startTestServer({ store: api.store });
    const events = await second.watch(`${url}?watch=1&resourceVersion=1`, (seen) => seen.length >= 1);
    expect(events[0]).toMatchObject({
      type: 'ERROR',
      object: { kind: 'Status', code: 410, reason: 'Expired', message: expect.stringMatching(/^too old resource version: 1 \(\d+\)$/) },
    });
    expect(await api.watch(`${url}?watch=1&timeoutSeconds=1`, () => false)).toEqual([]);
  });

  it('gives components in this process the objects themselves, with the same rules', async () => {
    const url = await namespace();
    const admin = api.server.transport({ name: 'admin', groups: ['system:masters'] });
    await create(url, 'a');
    const list = await admin.request({ method: 'GET', path: url, headers: {} });
    expect(names(list.object as never)).toEqual(['a']);
    const nobody = api.server.transport({ name: 'nobody', groups: [] });
    expect((await nobody.request({ method: 'GET', path: url, headers: {} })).status).toBe(403);
    const stop = new AbortController();
    const stream = await admin.stream({ method: 'GET', path: url, query: 'watch=1', headers: {}, signal: stop.signal });
    const seen: string[] = [];
    for await (const batch of stream.events ?? []) {
      seen.push(...batch.map((event) => event.type));
      if (seen.length === 1) await create(url, 'b');
      if (seen.length === 2) stop.abort();
    }
    expect(seen).toEqual(['ADDED', 'ADDED']);
    await admin.close();
  });

  it('shows every watcher every change once and in order, however often it reconnects (model)', async () => {
    const operation = fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), kind: fc.constantFrom('put', 'delete') });
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 25 }), fc.integer({ min: 1, max: 5 }), async (operations, perConnection) => {
        const url = await namespace();
        const start = (await api.call('GET', url)).json.metadata.resourceVersion as string;
        const model: string[] = [];
        const present = new Set<string>();
        for (const { name, kind } of operations) {
          if (kind === 'delete') {
            const { status } = await api.call('DELETE', `${url}/${name}`);
            if (present.delete(name)) {
              expect(status).toBe(200);
              model.push(`DELETED ${name}`);
            }
          } else if (present.has(name)) {
            await api.call('PUT', `${url}/${name}`, configMap(name, { data: { n: systemRandom.uuid() } }));
            model.push(`MODIFIED ${name}`);
          } else {
            await create(url, name);
            present.add(name);
            model.push(`ADDED ${name}`);
          }
        }
        const seen: string[] = [];
        let from = start;
        while (seen.length < model.length) {
          const wanted = Math.min(perConnection, model.length - seen.length);
          const events = (await api.watch(`${url}?watch=1&resourceVersion=${from}`, (got) => got.length >= wanted)).slice(0, wanted);
          seen.push(...types(events));
          from = events.at(-1)?.object.metadata.resourceVersion as string;
        }
        expect(seen).toEqual(model);
        expect(names((await api.call('GET', url)).json)).toEqual([...present].sort());
      }),
      { numRuns: 15 },
    );
  });
});

describe('shutting down', () => {
  it('ends watches regularly and does not wait for idle connections', async () => {
    await using other = await startTestServer();
    const agent = new Agent({ keepAlive: true });
    await new Promise<void>((resolve, reject) => {
      const outgoing = get({ host: '127.0.0.1', port: other.server.port, path: '/healthz', rejectUnauthorized: false, agent }, (answer) =>
        answer.resume().on('end', resolve),
      );
      outgoing.on('error', reject);
    });
    const watching = other.watch('/api/v1/namespaces?watch=1', () => false);
    const seen = new Promise<void>((resolve) => {
      const poll = () => (other.server.registry.storage('', 'namespaces').cache.groups.size > 0 ? resolve() : setImmediate(poll));
      poll();
    });
    await seen;
    const deadline = new AbortController();
    await other.server.stop(deadline.signal);
    expect((await watching).map((event) => event.type)).toEqual(['ADDED', 'ADDED', 'ADDED', 'ADDED']);
    agent.destroy();
  });
});
