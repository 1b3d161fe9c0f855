import type { KubeObject } from '@coxswain/api';
import { describe, expect, it } from 'vitest';
import type { ApiError } from '../status/api-error.js';
import { cloneJson } from '../util/json.js';
import { applyPatch } from './apply-patch.js';
import { FieldSet } from './field-set.js';
import { testLookup, testSchema } from './test-schema.js';
import type { ApplyRequest } from './types.js';
import { updateManagedFields } from './update-managed-fields.js';

const T0 = Date.UTC(2026, 0, 1);
const base = { schema: testSchema, lookup: testLookup, apiVersion: 'apps/v1' } as const;
const make = (spec: object, metadata: object = {}): KubeObject => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', ...metadata }, spec });
const apply = (live: KubeObject | undefined, patch: KubeObject, manager = 'alice', more: Partial<ApplyRequest> = {}) =>
  applyPatch({ ...base, live, patch, manager, force: false, now: T0, ...more });
const update = (old: KubeObject | undefined, object: KubeObject, manager = 'bob', more: object = {}) => {
  const next = cloneJson(object);
  updateManagedFields({ ...base, old, object: next, manager, now: T0, ...more });
  return next;
};
const entry = (object: KubeObject, manager: string) => object.metadata.managedFields?.find((m) => m.manager === manager);
const owned = (object: KubeObject, manager: string) => {
  const e = entry(object, manager);
  return e ? new FieldSet(e.fieldsV1 as never).toString().split('\n') : [];
};
const stored = (object: KubeObject): KubeObject => ({ ...object, metadata: { ...object.metadata, uid: 'u' } });
const failure = (fn: () => unknown): ApiError => {
  try {
    fn();
  } catch (error) {
    return error as ApiError;
  }
  throw new Error('did not throw');
};

describe('applyPatch', () => {
  it('creates, and records what was applied', () => {
    const { object, changed } = apply(undefined, make({ replicas: 2, containers: [{ name: 'a', image: 'i' }] }, { labels: { app: 'x' } }));
    expect(changed).toBe(true);
    expect(object.spec).toEqual({ replicas: 2, containers: [{ name: 'a', image: 'i' }] });
    expect(object.metadata.managedFields).toEqual([
      {
        manager: 'alice',
        operation: 'Apply',
        apiVersion: 'apps/v1',
        time: '2026-01-01T00:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:metadata': { 'f:labels': { 'f:app': {} } },
          'f:spec': { 'f:replicas': {}, 'f:containers': { 'k:{"name":"a"}': { '.': {}, 'f:name': {}, 'f:image': {} } } },
        },
      },
    ]);
  });

  it('changes nothing, not even the time, when the same is applied again', () => {
    const live = stored(apply(undefined, make({ replicas: 2 })).object);
    const again = apply(live, make({ replicas: 2 }), 'alice', { now: T0 + 60_000 });
    expect(again.changed).toBe(false);
    expect(again.object).toEqual(live);
  });

  it('meets a conflict over a value another manager owns, with text and causes', () => {
    const live = stored(update(undefined, make({ replicas: 1 }), 'kubectl'));
    const error = failure(() => apply(live, make({ replicas: 5 })));
    expect(error.code).toBe(409);
    expect(error.message).toBe('Apply failed with 1 conflict: conflict with "kubectl" using apps/v1: .spec.replicas');
    expect(error.status.details?.causes).toEqual([
      { reason: 'FieldManagerConflict', message: 'conflict with "kubectl" using apps/v1', field: '.spec.replicas' },
    ]);
  });

  it('lists several conflicts by manager', () => {
    const first = stored(update(undefined, make({ replicas: 1 }), 'zed'));
    const live = update(first, { ...first, spec: { replicas: 1, containers: [{ name: 'a', image: '1' }] } }, 'ann', { subresource: 'scale' });
    const error = failure(() => apply(live, make({ replicas: 5, containers: [{ name: 'a', image: '2' }] })));
    expect(error.message).toBe(
      'Apply failed with 2 conflicts: conflicts with "ann" with subresource "scale" using apps/v1:\n- .spec.containers[name="a"].image\nconflicts with "zed" using apps/v1:\n- .spec.replicas',
    );
  });

  it('takes ownership with force, shares it when the values are the same', () => {
    const live = stored(update(undefined, make({ replicas: 1, args: ['x'] }), 'bob'));
    const shared = apply(live, make({ replicas: 1 })).object;
    expect(owned(shared, 'alice')).toEqual(['.spec.replicas']);
    expect(owned(shared, 'bob')).toEqual(['.spec.args', '.spec.replicas']);
    const forced = apply(live, make({ replicas: 9 }), 'alice', { force: true }).object;
    expect(forced.spec.replicas).toBe(9);
    expect(owned(forced, 'bob')).toEqual(['.spec.args']);
  });

  it('removes what is no longer applied and nobody else owns; keeps what others own', () => {
    const one = stored(
      apply(
        undefined,
        make(
          {
            replicas: 2,
            containers: [
              { name: 'a', image: '1' },
              { name: 'b', image: '1' },
            ],
            strategy: { type: 'x' },
          },
          { labels: { a: '1', b: '2' } },
        ),
      ).object,
    );
    const two = stored(apply(one, make({ containers: [{ name: 'b', image: '1' }] }, { labels: { b: '2' } }), 'carol').object);
    const { object } = apply(two, make({ replicas: 2 }, { labels: { a: '1' } }));
    expect(object.spec).toEqual({ replicas: 2, containers: [{ name: 'b', image: '1' }] });
    expect(object.metadata.labels).toEqual({ a: '1', b: '2' });
    expect(owned(object, 'alice')).toEqual(['.metadata.labels.a', '.spec.replicas']);
  });

  it('removes an item with what others set inside of it', () => {
    const one = stored(apply(undefined, make({ containers: [{ name: 'a', image: '1' }] })).object);
    const defaulted = { ...one, spec: { containers: [{ name: 'a', image: '1', env: [{ name: 'e', value: 'v' }] }] } };
    expect(apply(update(one, defaulted, 'bob'), make({})).object.spec).toEqual({ containers: [] });
  });

  it('merges list maps by key, with defaulted keys, keeping the live order', () => {
    const live = stored(
      apply(
        undefined,
        make({
          containers: [
            {
              name: 'x',
              ports: [
                { containerPort: 80, protocol: 'TCP' },
                { containerPort: 80, protocol: 'UDP' },
              ],
            },
          ],
        }),
        'bob',
      ).object,
    );
    const { object } = apply(live, make({ containers: [{ name: 'new' }, { name: 'x', ports: [{ containerPort: 80, hostPort: 8080 }] }] }));
    expect(object.spec.containers).toEqual([
      { name: 'new' },
      {
        name: 'x',
        ports: [
          { containerPort: 80, protocol: 'TCP', hostPort: 8080 },
          { containerPort: 80, protocol: 'UDP' },
        ],
      },
    ]);
    expect(owned(object, 'alice')).toContain('.spec.containers[name="x"].ports[containerPort=80,protocol="TCP"].hostPort');
  });

  it('merges sets, replaces atomics', () => {
    const live = stored(apply(undefined, make({ args: ['a'], selector: { matchLabels: { a: '1' } } }, { finalizers: ['x'] }), 'bob').object);
    const { object } = apply(live, make({}, { finalizers: ['y'] }));
    expect(object.metadata.finalizers).toEqual(['x', 'y']);
    expect(failure(() => apply(live, make({ selector: { matchLabels: { b: '2' } } }))).message).toContain('.spec.selector');
    const forced = apply(live, make({ args: ['b'], selector: { matchLabels: { b: '2' } } }), 'alice', { force: true }).object;
    expect(forced.spec).toEqual({ args: ['b'], selector: { matchLabels: { b: '2' } } });
  });

  it('gives what was there before the first apply to a manager of its own', () => {
    const live = stored(make({ replicas: 3 }));
    expect(failure(() => apply(live, make({ replicas: 4 }))).message).toBe(
      'Apply failed with 1 conflict: conflict with "before-first-apply" using apps/v1: .spec.replicas',
    );
    expect(owned(apply(live, make({ replicas: 3 })).object, 'before-first-apply')).toEqual(['.spec.replicas']);
  });

  it('lets kubectl take over what kubectl applied on the client before, and refreshes the annotation', () => {
    const annotation = 'kubectl.kubernetes.io/last-applied-configuration';
    const last = JSON.stringify(make({ replicas: 1 }));
    const live = stored(update(undefined, make({ replicas: 1 }, { annotations: { [annotation]: last } }), 'kubectl-client-side-apply'));
    expect(failure(() => apply(live, make({ replicas: 2 }), 'other')).code).toBe(409);
    const { object } = apply(live, make({ replicas: 2 }), 'kubectl');
    expect(object.spec.replicas).toBe(2);
    expect(JSON.parse(object.metadata.annotations?.[annotation] ?? '')).toEqual(make({ replicas: 2 }));
    const drifted = update(live, { ...live, spec: { replicas: 7 } }, 'scaler');
    expect(failure(() => apply(drifted, make({ replicas: 2 }), 'kubectl')).message).toContain('conflict with "scaler"');
  });

  it('never owns what the endpoint resets', () => {
    const patch = { ...make({ replicas: 1 }), status: { ready: 1 } };
    expect(owned(apply(undefined, patch, 'alice', { resetFields: FieldSet.ofPaths(['status']) }).object, 'alice')).toEqual(['.spec.replicas']);
  });

  it('keeps status applied through the subresource apart', () => {
    const live = stored(apply(undefined, make({ replicas: 1 })).object);
    const { object } = apply(live, { ...make({}), status: { ready: 1 } }, 'alice', { subresource: 'status', resetFields: FieldSet.ofPaths(['spec']) });
    expect(object.metadata.managedFields?.map((m) => [m.manager, m.subresource])).toEqual([
      ['alice', undefined],
      ['alice', 'status'],
    ]);
  });

  it('refuses bad patches', () => {
    expect(failure(() => apply(undefined, { ...make({}), apiVersion: 'apps/v2' })).message).toBe(
      'Incorrect version specified in apply patch. Specified patch version: apps/v2, expected: apps/v1',
    );
    expect(failure(() => apply(undefined, make({}, { managedFields: [] }))).message).toBe('metadata.managedFields must be nil');
    expect(failure(() => apply(undefined, make({ nope: 1 }))).message).toBe(
      'failed to create typed patch object (/web; apps/v1, Kind=Deployment): .spec.nope: field not declared in schema',
    );
    const mistyped = failure(() => apply(undefined, make({ containers: { name: 'a' } })));
    expect(mistyped.message).toContain('.spec.containers: expected list, got &{map[name:a]}');
    expect(mistyped).toMatchObject({ status: { code: 500, reason: '' } });
    expect(failure(() => apply(undefined, make({ containers: [{ image: 'x' }] }))).message).toContain(
      'element 0: associative list with keys has an element that omits key field "name"',
    );
    expect(failure(() => apply(undefined, make({ containers: [{ name: 'a' }, { name: 'a' }] }))).message).toContain('duplicate entries for key [name="a"]');
  });

  it('does not change its inputs', () => {
    const live = stored(apply(undefined, make({ replicas: 1, containers: [{ name: 'a' }] })).object);
    const patch = make({ replicas: 1, containers: [{ name: 'b' }] });
    const before = JSON.stringify([live, patch]);
    const { object } = apply(live, patch);
    object.spec.containers[0].image = 'changed';
    expect(JSON.stringify([live, patch])).toBe(before);
  });
});

describe('updateManagedFields', () => {
  it('records a create as upstream does: containers of the object model are not owned themselves, others are', () => {
    const object = update(
      undefined,
      make({ replicas: 1, containers: [{ name: 'a', ports: [{ containerPort: 80 }] }], strategy: { rollingUpdate: { maxSurge: 1 } } }, { labels: { a: 'b' } }),
    );
    expect(entry(object, 'bob')?.fieldsV1).toEqual({
      'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } },
      'f:spec': {
        'f:replicas': {},
        'f:containers': {
          'k:{"name":"a"}': { '.': {}, 'f:name': {}, 'f:ports': { '.': {}, 'k:{"containerPort":80,"protocol":"TCP"}': { '.': {}, 'f:containerPort': {} } } },
        },
        'f:strategy': { 'f:rollingUpdate': { '.': {}, 'f:maxSurge': {} } },
      },
    });
  });

  it('moves ownership of what changed, drops what is gone, keeps the time of who did nothing', () => {
    const one = stored(update(undefined, make({ replicas: 1, args: ['a'], containers: [{ name: 'a', image: 'x' }] }), 'bob'));
    const two = update(one, { ...one, spec: { replicas: 2, args: ['a'] } }, 'eve', { now: T0 + 5000 });
    expect(owned(two, 'bob')).toEqual(['.spec.args']);
    expect(owned(two, 'eve')).toEqual(['.spec.replicas']);
    expect([entry(two, 'bob')?.time, entry(two, 'eve')?.time]).toEqual(['2026-01-01T00:00:00Z', '2026-01-01T00:00:05Z']);
  });

  it('leaves everything alone when only what nobody owns changes', () => {
    const one = stored(update(undefined, make({ replicas: 1 }), 'bob'));
    const two = update(one, { ...one, metadata: { ...one.metadata, resourceVersion: '9', generation: 3 } }, 'eve', { now: T0 + 5000 });
    expect(two.metadata.managedFields).toEqual(one.metadata.managedFields);
  });

  it('keeps the managers of a client that sends none, forgets them for an empty list', () => {
    const one = stored(update(undefined, make({ replicas: 1 }), 'bob'));
    const without = update(one, make({ replicas: 1 }, { uid: 'u' }), 'eve');
    expect(owned(without, 'bob')).toEqual(['.spec.replicas']);
    const reset = update(one, { ...one, metadata: { ...one.metadata, managedFields: [] } }, 'eve');
    expect(reset.metadata.managedFields).toBeUndefined();
    expect(update(reset, { ...reset, spec: { replicas: 4 } }, 'eve').metadata.managedFields).toBeUndefined();
  });

  it('does not let a subresource edit the managers', () => {
    const one = stored(update(undefined, make({ replicas: 1 }), 'bob'));
    const two = update(one, { ...one, metadata: { ...one.metadata, managedFields: [] }, status: { ready: 1 } }, 'kubelet', { subresource: 'status' });
    expect(owned(two, 'bob')).toEqual(['.spec.replicas']);
    expect(entry(two, 'kubelet')?.subresource).toBe('status');
  });

  it('takes fields away from appliers, so that they conflict next time', () => {
    const one = stored(apply(undefined, make({ replicas: 1 })).object);
    const two = update(one, { ...one, spec: { replicas: 2 } }, 'eve');
    expect(entry(two, 'alice')).toBeUndefined();
    expect(failure(() => apply(two, make({ replicas: 1 }))).message).toContain('conflict with "eve" using apps/v1: .spec.replicas');
  });

  it('merges the oldest of more than ten updaters', () => {
    let object = stored(update(undefined, make({ args: ['x'] }, { labels: { l0: '' } }), 'm0'));
    for (let i = 1; i < 13; i++)
      object = update(object, { ...object, metadata: { ...object.metadata, labels: { ...object.metadata.labels, [`l${i}`]: '' } } }, `m${i}`, {
        now: T0 + i * 1000,
      });
    const names = object.metadata.managedFields?.map((m) => m.manager);
    expect(names).toHaveLength(10);
    expect(names?.[0]).toBe('ancient-changes');
    expect(owned(object, 'ancient-changes')).toEqual(
      expect.arrayContaining(['.metadata.labels.l0', '.metadata.labels.l1', '.metadata.labels.l2', '.metadata.labels.l3']),
    );
  });
});
