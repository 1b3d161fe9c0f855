import type { KubeObject } from '@coxswain/api';
import { ApiError, parseLabelSelector } from '@coxswain/apimachinery';
import { afterEach, describe, expect, it } from 'vitest';
import { KubeClient } from '../rest/kube-client.js';
import { resourceRef } from '../rest/resource-ref.js';
import { noRandom, settle, TestClock } from '../test-clock.js';
import { connectionRefused, TestServer } from '../test-server.js';
import { InformerFactory } from './informer-factory.js';
import type { SharedInformer } from './shared-informer.js';

const things = resourceRef<KubeObject>('', 'v1', 'things', 'Thing');
const path = (name: string, ns = 'a') => `/api/v1/things/${ns}.${name}`;
const thing = (name: string, more: object = {}, ns = 'a'): KubeObject => ({ apiVersion: 'v1', kind: 'Thing', metadata: { name, namespace: ns, ...more } });

const factories: InformerFactory[] = [];
afterEach(async () => {
  for (const f of factories.splice(0)) await f.stop();
});

function setup() {
  const server = new TestServer();
  const clock = new TestClock();
  const factory = new InformerFactory({ client: new KubeClient({ transport: server, clock }), clock, random: noRandom, freeze: true });
  factories.push(factory);
  return { server, clock, factory, informer: factory.informer(things) };
}

function record(informer: SharedInformer<KubeObject>): string[] {
  const seen: string[] = [];
  informer.addHandler({
    add: (o, initial) => seen.push(`+${o.metadata.name}${initial ? '!' : ''}`),
    update: (old, o) => seen.push(`~${o.metadata.name}:${old.metadata.labels?.['v'] ?? ''}>${o.metadata.labels?.['v'] ?? ''}`),
    delete: (o) => seen.push(`-${o.metadata.name}`),
  });
  return seen;
}

describe('SharedInformer', () => {
  it('tells of the first list, then of changes, in order', async () => {
    const { server, informer } = setup();
    server.put(path('one'), thing('one'));
    const seen = record(informer);
    informer.start();
    await informer.synced(new AbortController().signal);
    server.put(path('two'), thing('two'));
    server.put(path('one'), thing('one', { labels: { v: '2' } }));
    server.remove(path('two'));
    await settle();
    expect(seen).toEqual(['+one!', '+two', '~one:>2', '-two']);
    expect(informer.lister.list().map((o) => o.metadata.name)).toEqual(['one']);
  });

  it('tells late subscribers of what is there', async () => {
    const { server, informer } = setup();
    server.put(path('one'), thing('one'));
    informer.start();
    await settle();
    expect(record(informer)).toEqual(['+one!']);
    const events: string[] = [];
    const subscription = informer.event$.subscribe((e) => events.push(`${e.type} ${e.object.metadata.name}`));
    server.remove(path('one'));
    await settle();
    subscription.unsubscribe();
    server.put(path('x'), thing('x'));
    await settle();
    expect(events).toEqual(['add one', 'delete one']);
  });

  it('goes on from the last version when a watch ends, without listing again; bookmarks count', async () => {
    const { server, clock, informer } = setup();
    informer.start();
    await settle();
    server.revision = 50;
    server.bookmark();
    await settle();
    server.endWatches();
    await settle();
    await clock.advance(2000);
    expect(server.requests.filter((r) => r.startsWith('GET'))).toEqual(['GET /api/v1/things?resourceVersion=0']);
    expect(server.requests.at(-1)).toContain('resourceVersion=50');
  });

  it('lists again when its version is gone, and tells what happened in between', async () => {
    const { server, clock, informer } = setup();
    server.put(path('one'), thing('one'));
    server.put(path('two'), thing('two'));
    const seen = record(informer);
    informer.start();
    await settle();
    // The watch breaks; meanwhile things change and history is compacted.
    server.fail = (r) => (r.query?.includes('watch') ? connectionRefused() : undefined);
    server.endWatches();
    await settle();
    server.remove(path('one'));
    server.put(path('two'), thing('two', { labels: { v: '2' } }));
    server.put(path('three'), thing('three'));
    server.oldest = server.revision;
    server.fail = undefined;
    await clock.advance(60_000);
    expect(seen).toEqual(['+one!', '+two!', '~two:>2', '+three', '-one']);
    expect(server.watchers).toBe(1);
  });

  it('retries a refused list with growing pauses, and says why it is not synced', async () => {
    const { server, clock, informer } = setup();
    server.fail = () => ApiError.forbidden({ group: '', resource: 'things' }, '', 'no');
    informer.start();
    await clock.advance(800 + 1600 + 3200);
    expect(server.requests).toHaveLength(4);
    expect([informer.hasSynced, (informer.lastError as Error).message]).toEqual([false, 'things is forbidden: no']);
    server.fail = undefined;
    await clock.advance(30_000);
    expect([informer.hasSynced, informer.lastError]).toEqual([true, undefined]);
  });

  it('sees an object that was deleted and made again as two', async () => {
    const { server, clock, informer } = setup();
    server.put(path('one'), thing('one', { uid: 'first' }));
    const seen = record(informer);
    informer.start();
    await settle();
    server.fail = (r) => (r.query?.includes('watch') ? connectionRefused() : undefined);
    server.endWatches();
    await settle();
    server.remove(path('one'));
    server.put(path('one'), thing('one', { uid: 'second' }));
    server.oldest = server.revision;
    server.fail = undefined;
    await clock.advance(60_000);
    expect(seen).toEqual(['+one!', '-one', '+one']);
  });

  it('finds by namespace, selector and own index; keeps indexes in step', async () => {
    const { server, informer } = setup();
    informer.addIndex('color', (o) => (o.metadata.labels?.['color'] ? [o.metadata.labels['color']] : []));
    server.put(path('one'), thing('one', { labels: { color: 'red' } }));
    server.put(path('two', 'b'), thing('two', { labels: { color: 'red' } }, 'b'));
    informer.start();
    await settle();
    const names = (list: KubeObject[]) => list.map((o) => o.metadata.name).sort();
    expect(names(informer.lister.byIndex('color', 'red'))).toEqual(['one', 'two']);
    expect(names(informer.lister.list({ namespace: 'b' }))).toEqual(['two']);
    server.put(path('one'), thing('one', { labels: { color: 'blue' } }));
    await settle();
    expect(names(informer.lister.byIndex('color', 'red'))).toEqual(['two']);
    expect(names(informer.lister.list({ selector: parseLabelSelector('color=blue') }))).toEqual(['one']);
    expect(informer.lister.get('one', 'a')?.metadata.labels).toEqual({ color: 'blue' });
    server.remove(path('two', 'b'));
    await settle();
    expect(informer.lister.indexValues('color')).toEqual(['blue']);
  });

  it('keeps one failing handler from the others, and shared objects from being changed', async () => {
    const { server, informer } = setup();
    let failed = 0;
    informer.addHandler({
      add: (o) => {
        failed++;
        (o.metadata as { name: string }).name = 'changed';
      },
    });
    const seen = record(informer);
    informer.start();
    server.put(path('one'), thing('one'));
    await settle();
    expect([failed, seen]).toEqual([1, ['+one!']]);
  });

  it('shares one list-watch per resource and selection', () => {
    const { factory, informer } = setup();
    expect(factory.informer(things)).toBe(informer);
    expect(factory.informer(things, { namespace: 'x' })).not.toBe(informer);
  });
});
