import { expect, it } from 'vitest';
import { ResourceCache } from '../storage/resource-cache.js';
import { listSeats } from './list-seats.js';

it('a list takes a seat for each 100 kB, ten at most', () => {
  const all = { objects: 200, averageBytes: 2000, limit: undefined, single: false };
  expect(listSeats(all)).toBe(4);
  expect(listSeats({ ...all, limit: 75 })).toBe(2);
  expect(listSeats({ ...all, limit: 500 })).toBe(4);
  expect(listSeats({ ...all, single: true })).toBe(1);
  expect(listSeats({ ...all, objects: 0 })).toBe(1);
  expect(listSeats({ ...all, objects: 100_000 })).toBe(10);
});

it('a cache knows how large its objects are', () => {
  const cache = new ResourceCache({ prefix: '/', namespaced: true, indexes: [], windowSize: 10 });
  expect(cache.averageBytes).toBe(0);
  const put = (name: string, bytes: number, revision: number) => cache.put(`default/${name}`, Buffer.alloc(bytes), revision);
  put('a', 100, 1);
  put('b', 300, 2);
  expect(cache.averageBytes).toBe(200);
  put('b', 500, 3);
  expect(cache.averageBytes).toBe(300);
});
