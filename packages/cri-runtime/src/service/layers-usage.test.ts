import { expect, it } from 'vitest';
import { LayersUsage } from './layers-usage.js';

it('adds layers up, looking at each once while it is there', async () => {
  const looked: string[] = [];
  const usage = new LayersUsage(async (layer) => {
    looked.push(layer);
    return { size: BigInt(layer.length), inodes: 1n };
  });
  expect(await usage.of(['a', 'bb'])).toEqual({ size: 3n, inodes: 2n });
  expect(await usage.of(['bb', 'ccc'])).toEqual({ size: 5n, inodes: 2n });
  expect(await usage.of(['a'])).toEqual({ size: 1n, inodes: 1n });
  expect(looked).toEqual(['a', 'bb', 'ccc', 'a']);
});

it('leaves out what cannot be looked at', async () => {
  const usage = new LayersUsage(async (layer) => (layer === 'gone' ? Promise.reject(new Error('gone')) : { size: 1n, inodes: 1n }));
  expect(await usage.of(['gone', 'there'])).toEqual({ size: 1n, inodes: 1n });
});
