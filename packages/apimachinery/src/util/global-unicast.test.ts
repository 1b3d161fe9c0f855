import { expect, it } from 'vitest';
import { isGlobalUnicast } from './global-unicast.js';

it('tells addresses of machines from special ones', () => {
  expect(['10.0.0.1', 'fd00::1'].map(isGlobalUnicast)).toEqual([true, true]);
  expect(['', '127.0.0.2', '169.254.1.1', '224.0.0.1', '0.0.0.0', '::1', 'fe80::1', '::ffff:127.0.0.1'].some(isGlobalUnicast)).toBe(false);
});
