import type { KubeObject } from '@coxswain/api';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cloneJson, deepEqual } from '../util/json.js';
import { appliedFields } from './applied-fields.js';
import { applyPatch } from './apply-patch.js';
import { addedFields } from './compare.js';
import { compileObject } from './compiled-type.js';
import { isMember, pathsOf, unionFields, type Fields } from './fields.js';
import { testLookup, testSchema } from './test-schema.js';
import { updateManagedFields } from './update-managed-fields.js';

const type = compileObject(testSchema, testLookup).tracked;
const base = { schema: testSchema, lookup: testLookup, apiVersion: 'apps/v1' };
const letter = fc.constantFrom('a', 'b', 'c');
const optional = { requiredKeys: [] as [] };
const unique = <T>(items: fc.Arbitrary<T>, by: (t: T) => unknown) => fc.uniqueArray(items, { maxLength: 3, selector: by });

const port = fc.record(
  { containerPort: fc.constantFrom(80, 81), protocol: fc.constantFrom('TCP', 'UDP'), hostPort: fc.nat(3) },
  { requiredKeys: ['containerPort'] },
);
const container = fc.record(
  {
    name: letter,
    image: letter,
    env: unique(fc.record({ name: letter, value: letter }), (e) => e.name),
    ports: unique(port, (p) => `${p.containerPort}${p.protocol ?? 'TCP'}`),
  },
  { requiredKeys: ['name'] },
);
const object: fc.Arbitrary<KubeObject> = fc
  .record(
    {
      labels: fc.dictionary(letter, letter, { maxKeys: 2 }),
      finalizers: unique(letter, (f) => f),
      spec: fc.record(
        {
          replicas: fc.nat(2),
          selector: fc.record({ matchLabels: fc.dictionary(letter, letter, { maxKeys: 1 }) }),
          strategy: fc.record({ type: letter, rollingUpdate: fc.record({ maxSurge: fc.nat(2) }) }, optional),
          containers: unique(container, (c) => c.name),
          args: fc.array(letter, { maxLength: 2 }),
          raw: fc.dictionary(letter, fc.oneof(fc.nat(2), fc.dictionary(letter, fc.nat(2), { maxKeys: 2 })), { maxKeys: 2 }),
        },
        optional,
      ),
    },
    optional,
  )
  .map(({ labels, finalizers, spec }) =>
    cloneJson({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', uid: 'u', ...(labels && { labels }), ...(finalizers && { finalizers }) },
      ...(spec && { spec }),
    }),
  );

const step = fc.record({ kind: fc.constantFrom('apply' as const, 'update' as const), manager: fc.constantFrom('m1', 'm2', 'm3'), object });

function run(
  steps: readonly { kind: 'apply' | 'update'; manager: string; object: KubeObject }[],
  check: (live: KubeObject, step: { kind: 'apply' | 'update'; manager: string; object: KubeObject }) => void,
): KubeObject | undefined {
  let live: KubeObject | undefined;
  steps.forEach((s, i) => {
    const now = i * 1000;
    if (s.kind === 'apply') live = applyPatch({ ...base, live, patch: s.object, manager: s.manager, force: true, now }).object;
    else {
      const next: KubeObject = cloneJson(s.object);
      updateManagedFields({ ...base, old: live, object: next, manager: s.manager, now });
      live = next;
    }
    check(live, s);
  });
  return live;
}

/** Everything that can be owned in an object. */
const present = (o: KubeObject): Fields => unionFields(addedFields(type, o, true) ?? {}, addedFields(type, o, false) ?? {});

const nodeAt = (root: Fields, path: readonly string[]): Fields | undefined => path.reduce<Fields | undefined>((node, element) => node?.[element], root);
const LEAVES = ['f:image', 'f:value', 'f:hostPort', 'f:replicas', 'f:type', 'f:maxSurge', 'f:args', 'f:selector'];
const isLeaf = (path: readonly string[]) => LEAVES.includes(path.at(-1) ?? '') || (path[1] === 'f:labels' && path.length === 3);

describe('field ownership', () => {
  it('is only of what is there, and of every leaf', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 5 }), (steps) => {
        run(steps, (live) => {
          const all = present(live);
          const entries = live.metadata.managedFields?.map((m) => m.fieldsV1 as Fields);
          const stale = (entries ?? []).flatMap((fields) => [...pathsOf(fields)]).filter((path) => !nodeAt(all, path));
          expect(stale).toEqual([]);
          // Without any entry the object is not tracked.
          const owned = entries?.reduce(unionFields, {});
          const unowned = owned ? [...pathsOf(appliedFields(type, live, ''))].filter((path) => isLeaf(path) && !isMember(nodeAt(owned, path))) : [];
          expect(unowned).toEqual([]);
        });
      }),
      { numRuns: 300 },
    );
  });
});

describe('applyPatch', () => {
  it('does nothing the second time, and never changes its input', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 4 }), object, (steps, patch) => {
        const live = run(steps, () => {});
        const before = JSON.stringify([live, patch]);
        const first = applyPatch({ ...base, live, patch, manager: 'me', force: true, now: 1e6 }).object;
        expect(JSON.stringify([live, patch])).toBe(before);
        const again = applyPatch({ ...base, live: first, patch, manager: 'me', force: false, now: 2e6 });
        expect(again.changed).toBe(false);
        expect(again.object).toEqual(first);
      }),
      { numRuns: 300 },
    );
  });

  it('leaves every applied value in the object, and owns exactly what it applied', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 4 }), object, (steps, patch) => {
        const live = run(steps, () => {});
        const { object: result } = applyPatch({ ...base, live, patch, manager: 'me', force: true, now: 1e6 });
        const mine = result.metadata.managedFields?.find((m) => m.manager === 'me')?.fieldsV1;
        expect(deepEqual(mine ?? {}, appliedFields(type, patch, ''))).toBe(true);
        expect(result.metadata.labels ?? {}).toMatchObject(patch.metadata.labels ?? {});
        const { replicas, args, selector, containers = [] } = (patch['spec'] ?? {}) as Record<string, unknown> & { containers?: { name: string }[] };
        const spec = (result['spec'] ?? {}) as typeof patch;
        expect([spec['replicas'], spec['args'], spec['selector']]).toEqual([replicas ?? spec['replicas'], args ?? spec['args'], selector ?? spec['selector']]);
        const same = containers.map((c) => ((spec['containers'] ?? []) as { name: string }[]).filter((o) => o.name === c.name));
        const scalars = (c: object) => Object.fromEntries(Object.entries(c).filter(([k]) => k === 'name' || k === 'image'));
        expect(same).toMatchObject(containers.map((c) => [scalars(c)]));
      }),
      { numRuns: 300 },
    );
  });

  it('takes back all it gave, when nobody else wants it', () => {
    fc.assert(
      fc.property(object, (patch) => {
        const given = applyPatch({ ...base, live: undefined, patch, manager: 'me', force: false, now: 0 }).object;
        const empty: KubeObject = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', uid: 'u' } };
        const taken = applyPatch({ ...base, live: given, patch: empty, manager: 'me', force: false, now: 1000 }).object;
        expect(Object.keys(appliedFields(type, taken, '')).filter((k) => k !== 'f:spec')).toEqual([]);
        expect(taken.metadata.managedFields).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });
});
