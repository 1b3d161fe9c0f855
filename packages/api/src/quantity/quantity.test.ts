import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  quantityMilliValue,
  quantityValue,
  subtractQuantities,
} from '../index.js';

describe('canonical text', () => {
  test.each([
    ['1000m', '1'],
    ['1500m', '1500m'],
    ['0.5', '500m'],
    ['1.5Gi', '1536Mi'],
    ['1024', '1024'],
    ['1000', '1k'],
    ['1Mi', '1Mi'],
    ['1024Ki', '1Mi'],
    ['0Ki', '0'],
    ['1e3', '1e3'],
    ['1E6', '1e6'],
    ['1E', '1E'],
    ['-5m', '-5m'],
    ['0.0000000001', '1n'],
    ['0.5Ki', '512'],
    ['100Ei', '9223372036854775807'],
    ['.5', '500m'],
    ['2.', '2'],
  ])('%s is %s', (input, output) => expect(canonicalQuantity(input)).toBe(output));

  test('numbers are accepted', () => expect(canonicalQuantity(0.25)).toBe('250m'));

  test.each(['', 'a', '1 Gi', '1kk', '1Kib', 'Mi', '--1', '1.2.3', '1e', '1e9999'])('%j is refused', (input) => expect(() => parseQuantity(input)).toThrow());
});

const quantity = fc
  .record({
    nanos: fc.bigInt({ min: -(10n ** 27n), max: 10n ** 27n }),
    format: fc.constantFrom('DecimalSI' as const, 'BinarySI' as const, 'DecimalExponent' as const),
  })
  .filter(({ nanos, format }) => format !== 'BinarySI' || (nanos < 2n ** 63n && nanos > -(2n ** 63n)));

describe('properties', () => {
  test('format then parse keeps the amount; formatting is idempotent', () =>
    fc.assert(
      fc.property(quantity, (q) => {
        const text = formatQuantity(q);
        expect(parseQuantity(text).nanos).toBe(q.nanos);
        expect(canonicalQuantity(text)).toBe(text);
      }),
    ));
  test('adding and subtracting undo each other; order agrees with the difference', () =>
    fc.assert(
      fc.property(quantity, quantity, (a, b) => {
        const left = formatQuantity({ ...a, format: 'DecimalSI' });
        const right = formatQuantity({ ...b, format: 'DecimalSI' });
        expect(subtractQuantities(addQuantities(left, right), right)).toBe(left);
        expect(Math.sign(compareQuantities(left, right))).toBe(Number(a.nanos > b.nanos) - Number(a.nanos < b.nanos));
      }),
    ));
});

test('values are rounded away from zero', () => {
  expect(quantityValue('1001m')).toBe(2);
  expect(quantityMilliValue('0.0001')).toBe(1);
  expect(quantityValue('1Gi')).toBe(1073741824);
});
