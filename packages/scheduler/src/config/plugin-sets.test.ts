import { success, type SchedulerPlugin } from '@coxswain/sdk';
import { describe, expect, it } from 'vitest';
import { type PluginSets, selectPlugins } from './plugin-sets.js';

const sort: SchedulerPlugin = { name: 'Sort', less: () => false };
const a: SchedulerPlugin = { name: 'A', weight: 4, filter: () => success, score: () => 0 };
const b: SchedulerPlugin = { name: 'B', filter: () => success, score: () => 0 };
const names = (sets: PluginSets, extra: SchedulerPlugin[] = []) => {
  const selected = selectPlugins(sets, [sort, a, b], extra);
  const at = (point: 'filter' | 'score' | 'queueSort') => selected.at(point).map((p) => p.name + (p.weight ?? ''));
  return { filter: at('filter'), score: at('score'), sort: at('queueSort'), all: selected.all.map((p) => p.name) };
};
const set = (enabled: PluginSets['score'] extends infer S | undefined ? (S extends { enabled: infer E } ? E : never) : never, ...disabled: string[]) => ({
  enabled,
  disabled,
});

describe('the plugins of a profile', () => {
  it('are the defaults, everywhere', () => expect(names({})).toEqual({ filter: ['A4', 'B'], score: ['A4', 'B'], sort: ['Sort'], all: ['Sort', 'A', 'B'] }));

  it('a point may leave one out, or bring one back that multiPoint left out', () => {
    expect(names({ score: set([], 'A') })).toMatchObject({ filter: ['A4', 'B'], score: ['B'] });
    expect(names({ multiPoint: set([], 'A'), filter: set([{ name: 'A' }]) })).toMatchObject({ filter: ['A4', 'B'], score: ['B'] });
  });

  it('* leaves all out but those that are enabled, in their order', () => {
    expect(names({ filter: set([{ name: 'B' }], '*') })).toMatchObject({ filter: ['B'], score: ['A4', 'B'] });
    expect(names({ multiPoint: set([{ name: 'Sort' }, { name: 'B' }], '*') }).all).toEqual(['Sort', 'B']);
    expect(names({ filter: set([{ name: 'B' }]) }).filter).toEqual(['B', 'A4']);
  });

  it('weights: as said where a plugin is listed, 1 when nothing is said there', () => {
    expect(names({ score: set([{ name: 'A', weight: 9 }]) }).score).toEqual(['A9', 'B']);
    expect(names({ multiPoint: set([{ name: 'A' }]) }).score).toEqual(['A1', 'B']);
  });

  it("the embedder's come after the defaults, replace one of their name, and may be left out", () => {
    const mine: SchedulerPlugin = { name: 'Mine', filter: () => success };
    expect(names({}, [mine]).filter).toEqual(['A4', 'B', 'Mine']);
    expect(names({}, [{ name: 'A', score: () => 1 }])).toMatchObject({ filter: ['B'], score: ['B', 'A'] });
    expect(names({ multiPoint: set([], 'Mine') }, [mine]).filter).toEqual(['A4', 'B']);
  });

  it('a name nobody has is refused', () => expect(() => names({ score: set([{ name: 'Nope' }]) })).toThrow('plugin Nope is not known (known: Sort, A, B)'));
});
