import { expect, it } from 'vitest';
import { parseMirrors } from './mirrors.js';

it('mirrors are kept per domain and in order', () =>
  expect(parseMirrors(['docker.io=http://a:5000', '*=https://b', 'docker.io=https://c/path'])).toEqual({
    'docker.io': ['http://a:5000', 'https://c/path'],
    '*': ['https://b'],
  }));

it.each(['docker.io', '=https://b', 'docker.io=b', 'docker.io='])('%j is refused with the form it should have', (entry) =>
  expect(() => parseMirrors([entry])).toThrow(/not of the form domain=https/),
);
