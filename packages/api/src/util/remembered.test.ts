import { expect, test } from 'vitest';
import { remembered } from './remembered.js';

test('works once per text while it is kept; long ones and failures each time', () => {
  const asked: string[] = [];
  const length = remembered(2, (text) => {
    asked.push(text);
    if (text === 'bad') throw new Error('no');
    return text === 'none' ? undefined : text.length;
  });
  expect([length('a'), length('a'), length('none'), length('none')]).toEqual([1, 1, undefined, undefined]);
  expect(asked).toEqual(['a', 'none']);
  for (const _ of [0, 1]) expect(() => length('bad')).toThrow('no');
  expect([length('ccc'), length('a')]).toEqual([3, 1]);
  const long = 'x'.repeat(100);
  expect([length(long), length(long)]).toEqual([100, 100]);
  expect(asked).toEqual(['a', 'none', 'bad', 'bad', 'ccc', 'a', long, long]);
});
