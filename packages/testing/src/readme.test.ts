import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

it('the example of the README is the one that is run', () => {
  const file = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
  const block = /```ts\n([\s\S]*?)```/.exec(file('../README.md'))?.[1];
  expect(block).toBe(file('./example.test.ts').replace("'./index.js'", "'@coxswain/testing'"));
});
