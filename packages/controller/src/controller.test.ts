import type { KubeObject } from '@coxswain/api';
import { ApiError, parseLabelSelector } from '@coxswain/apimachinery';
import { KubeClient, resourceRef, SharedInformer, type KubeList, type Transport, type WatchEvent } from '@coxswain/client';
import { systemClock, systemRandom, type LogFields, type Logger } from '@coxswain/sdk';
import { afterEach, describe, expect, it } from 'vitest';
import {
  buildController,
  controllerOf,
  ControllerRefManager,
  newControllerRef,
  slowStartBatch,
  TerminalError,
  watchFor,
  watchOwned,
  type ControllerOptions,
} from './index.js';

const undo: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const fn of undo.splice(0).reverse()) await fn();
});

const thing = (name: string, metadata: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name, namespace: 'ns', uid: name, resourceVersion: '1', ...metadata },
});

/** An informer fed by hand. */
function source(...initial: KubeObject[]) {
  let push: (event: WatchEvent) => void = () => {};
  const queue: WatchEvent[] = [];
  let wake: () => void = () => {};
  push = (event) => {
    queue.push(event);
    wake();
  };
  const informer = new SharedInformer<KubeObject>({
    clock: systemClock,
    random: systemRandom,
    source: {
      list: () => Promise.resolve({ apiVersion: 'v1', kind: 'ThingList', metadata: { resourceVersion: '1' }, items: initial } satisfies KubeList<KubeObject>),
      async *watchBatches({ signal }) {
        let stopped = signal?.aborted ?? false;
        signal?.addEventListener('abort', () => {
          stopped = true;
          wake();
        });
        while (!stopped) {
          if (queue.length > 0) yield queue.splice(0);
          else await new Promise<void>((resolve) => (wake = resolve));
        }
      },
    },
  });
  undo.push(() => informer.stop());
  return { informer, push: (type: WatchEvent['type'], object: KubeObject) => push({ type, object }) };
}

function logger(): Logger & { lines: string[] } {
  const lines: string[] = [];
  const log = (level: string) => (message: string, fields?: LogFields) => void lines.push(`${level} ${message} ${String(fields?.['key'] ?? '')}`);
  const self = { lines, debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error'), child: () => self };
  return self;
}

async function run(options: Partial<ControllerOptions> & Pick<ControllerOptions, 'reconcile' | 'watches'>) {
  const component = buildController({ name: 'c', clock: systemClock, ...options });
  undo.push(() => component.stop(AbortSignal.timeout(1000)));
  await component.start(AbortSignal.timeout(1000));
  return component;
}

/** Resolves when `fn` has been called with this many keys. */
function collect(count: number) {
  const keys: string[] = [];
  let done: () => void = () => {};
  const all = new Promise<void>((resolve) => (done = resolve));
  return {
    keys,
    all,
    see: (key: string) => {
      keys.push(key);
      if (keys.length >= count) done();
    },
  };
}

describe('buildController', () => {
  it('works on every object there is, then on what changes, and on the owners of what changes', async () => {
    const owners = source(thing('a'), thing('b'));
    const owned = source();
    const seen = collect(4);
    await run({ watches: [watchFor(owners.informer), watchOwned(owned.informer, { group: '', kind: 'Thing' })], reconcile: (key) => seen.see(key) });
    owned.push('ADDED', thing('child', { ownerReferences: [newControllerRef(thing('b'), { group: '', version: 'v1', kind: 'Thing' })] }));
    owned.push('ADDED', thing('stranger', { ownerReferences: [newControllerRef(thing('x'), { group: 'other', version: 'v1', kind: 'Thing' })] }));
    owners.push('DELETED', thing('a'));
    await seen.all;
    expect(seen.keys.sort()).toEqual(['ns/a', 'ns/a', 'ns/b', 'ns/b']);
  });

  it('tries a failing key again, without harm to others; not a terminal failure', async () => {
    const { informer } = source(thing('bad'), thing('good'), thing('hopeless'));
    const log = logger();
    const seen = collect(5);
    await run({
      watches: [watchFor(informer)],
      logger: log,
      reconcile(key) {
        seen.see(key);
        if (key === 'ns/bad' && seen.keys.filter((k) => k === key).length < 3) throw new Error('boom');
        if (key === 'ns/hopeless') throw new TerminalError('never');
      },
    });
    await seen.all;
    expect(seen.keys.slice().sort()).toEqual(['ns/bad', 'ns/bad', 'ns/bad', 'ns/good', 'ns/hopeless']);
    expect(log.lines.filter((l) => l.startsWith('warn'))).toEqual(['warn reconciling failed ns/bad', 'warn reconciling failed ns/bad']);
    expect(log.lines).toContain('error reconciling failed for good ns/hopeless');
  });

  it('comes back after the time it was told', async () => {
    const { informer } = source(thing('a'));
    const seen = collect(3);
    await run({
      watches: [watchFor(informer)],
      reconcile(key) {
        seen.see(key);
        return { requeueAfterMs: 1 };
      },
    });
    await seen.all;
    expect(seen.keys).toEqual(['ns/a', 'ns/a', 'ns/a']);
  });

  it('works on several keys at once, on one key once', async () => {
    const { informer, push } = source(thing('a'), thing('b'));
    let running = 0;
    let most = 0;
    const releases: (() => void)[] = [];
    const seen = collect(2);
    const component = await run({
      workers: 4,
      watches: [watchFor(informer)],
      async reconcile(key) {
        most = Math.max(most, ++running);
        seen.see(key);
        await new Promise<void>((resolve) => releases.push(resolve));
        running--;
      },
    });
    await seen.all;
    push('MODIFIED', thing('a', { resourceVersion: '2' }));
    await new Promise((resolve) => setImmediate(resolve));
    expect([running, most]).toEqual([2, 2]);
    const stopping = component.stop(AbortSignal.timeout(1000));
    for (const release of releases) release();
    await stopping;
    expect(running).toBe(0);
  });

  it('aborts what is in flight at the deadline of its stop', async () => {
    const { informer } = source(thing('a'));
    const seen = collect(1);
    const component = await run({
      watches: [watchFor(informer)],
      async reconcile(key, signal) {
        seen.see(key);
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
      },
    });
    await seen.all;
    await expect(component.stop(AbortSignal.abort())).resolves.toBeUndefined();
  });

  it('does not start without its caches, and leaves nothing attached', async () => {
    const { informer } = source(thing('a'));
    let attached = 0;
    const never = {
      start: () => {},
      synced: (signal: AbortSignal) => new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
    };
    const watch = {
      ...watchFor(informer),
      attach: () => {
        attached++;
        return () => void attached--;
      },
    };
    const component = buildController({ name: 'c', clock: systemClock, watches: [watch], reads: [never], reconcile: () => {} });
    const abort = new AbortController();
    const starting = component.start(abort.signal);
    abort.abort(new Error('too late'));
    await expect(starting).rejects.toThrow('too late');
    expect(attached).toBe(0);
  });
});

describe('owners', () => {
  const owner = thing('owner', { labels: {} });
  const kind = { group: 'apps', version: 'v1', kind: 'ReplicaSet' };
  const ref = resourceRef<KubeObject>('', 'v1', 'things', 'Thing');

  function manager(fresh: KubeObject = owner, answer?: ApiError) {
    const patches: [string, unknown][] = [];
    const transport: Transport = {
      request({ path, body }) {
        patches.push([path, JSON.parse(String(body))]);
        const [status, object] = answer ? [answer.code, answer.status] : [200, {}];
        return Promise.resolve({ status, headers: {}, body: Buffer.from(JSON.stringify(object)) });
      },
      stream: () => Promise.reject(new Error('unused')),
      close: () => Promise.resolve(),
    };
    const client = new KubeClient({ transport }).resource(ref);
    return {
      patches,
      manager: new ControllerRefManager({ owner, ownerKind: kind, selector: parseLabelSelector('app=x'), client, readOwner: () => Promise.resolve(fresh) }),
    };
  }
  const mine = (name: string, labels: object) => thing(name, { labels, ownerReferences: [newControllerRef(owner, kind)] });
  const { signal } = new AbortController();

  it('keeps, adopts, releases and leaves alone', async () => {
    const { manager: m, patches } = manager();
    const claimed = await m.claim(
      [
        mine('kept', { app: 'x' }),
        mine('released', { app: 'y' }),
        thing('orphan', { labels: { app: 'x' } }),
        thing('other', { labels: { app: 'y' } }),
        thing('dying', { labels: { app: 'x' }, deletionTimestamp: 'now' }),
        thing('theirs', { labels: { app: 'x' }, ownerReferences: [newControllerRef(thing('else'), kind)] }),
      ],
      signal,
    );
    expect(claimed.map((o) => o.metadata.name)).toEqual(['kept', 'orphan']);
    expect(patches).toEqual([
      ['/api/v1/namespaces/ns/things/released', { metadata: { uid: 'released', ownerReferences: [{ $patch: 'delete', uid: 'owner' }] } }],
      [
        '/api/v1/namespaces/ns/things/orphan',
        {
          metadata: {
            uid: 'orphan',
            ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'owner', uid: 'owner', blockOwnerDeletion: true, controller: true }],
          },
        },
      ],
    ]);
  });

  it('does not adopt for an owner that is going away, and forgives what is gone', async () => {
    const orphan = thing('orphan', { labels: { app: 'x' } });
    await expect(manager({ ...owner, metadata: { ...owner.metadata, deletionTimestamp: 'now' } }).manager.claim([orphan], signal)).rejects.toThrow(
      'has just been deleted',
    );
    await expect(manager({ ...owner, metadata: { ...owner.metadata, uid: 'another' } }).manager.claim([orphan], signal)).rejects.toThrow(
      'is gone: got uid another',
    );
    expect(await manager(owner, ApiError.notFound({ group: '', resource: 'things' }, 'orphan')).manager.claim([orphan], signal)).toEqual([]);
  });

  it('knows the one controller', () => {
    expect(controllerOf(thing('a', { ownerReferences: [{ apiVersion: 'v1', kind: 'K', name: 'n', uid: '1' }] }))).toBeUndefined();
    expect(controllerOf(mine('a', {}))?.name).toBe('owner');
  });
});

describe('slowStartBatch', () => {
  it('doubles while it works, stops at the first batch that fails', async () => {
    const started: number[] = [];
    const ok = await slowStartBatch(10, async (i) => void started.push(i));
    expect([ok, started.length]).toEqual([{ succeeded: 10 }, 10]);
    let calls = 0;
    const failed = await slowStartBatch(100, async (i) => {
      calls++;
      if (i === 4) throw new Error('quota');
    });
    expect([failed.succeeded, (failed.error as Error).message, calls]).toEqual([6, 'quota', 7]);
  });
});
