import { expect, test } from 'vitest';
import { type ServerTable, TableState } from './table';

const row = (name: string, cells: unknown[]) => ({ cells, object: { metadata: { name, uid: `uid-${name}`, resourceVersion: '7' } } });
const table = (resourceVersion: string, ...rows: ReturnType<typeof row>[]): ServerTable => ({
  metadata: { resourceVersion },
  columnDefinitions: [{ name: 'Name', type: 'string', format: 'name', priority: 0 }],
  rows,
});

test('events of a watch change the rows, bookmarks only the version', () => {
  const state = new TableState();
  state.replace([table('5', row('a', ['a'])), table('5', row('b', ['b']))]);
  expect(state.apply({ type: 'MODIFIED', object: table('', row('a', ['a2'])) })).toBe(true);
  expect(state.resourceVersion).toBe('7');
  state.apply({ type: 'DELETED', object: table('8', row('b', ['b'])) });
  expect(state.apply({ type: 'BOOKMARK', object: table('12') })).toBe(false);
  expect(state.resourceVersion).toBe('12');
  expect(state.rows().map((r) => r.cells[0])).toEqual(['a2']);
  expect(() => state.apply({ type: 'ERROR', object: { ...table(''), message: 'too old resource version', code: 410 } })).toThrow('too old');
});
