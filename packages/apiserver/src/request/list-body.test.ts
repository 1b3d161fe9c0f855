import { expect, test } from 'vitest';
import { ListBody } from './list-body.js';

const head = Buffer.from('{"kind":"List","items":[');
const items = (n: number) => Array.from({ length: n }, (_, i) => Buffer.from(`${JSON.stringify({ i, x: 'x'.repeat(i % 7) })}\n`));

test.each([0, 1, 2, 50])('a list of %i items is the same read at once and in pieces of any size', (n) => {
  const whole = new ListBody(head, items(n)).toBuffer();
  expect(whole.at(-1)).toBe(0x0a);
  expect((JSON.parse(whole.toString()) as { items: { i: number }[] }).items.map(({ i }) => i)).toEqual(Array.from({ length: n }, (_, i) => i));
  for (const size of [1, 2, 7, 16, 33, 1000, whole.length, whole.length + 1]) {
    const body = new ListBody(head, items(n));
    expect(body.length).toBe(whole.length);
    const pieces: Buffer[] = [];
    const target = Buffer.alloc(size);
    for (let read = body.read(target); read > 0; read = body.read(target)) pieces.push(Buffer.from(target.subarray(0, read)));
    expect(Buffer.concat(pieces).equals(whole)).toBe(true);
    expect(pieces.slice(0, -1).every((piece) => piece.length === size)).toBe(true);
  }
});
