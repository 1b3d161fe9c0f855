import type { Txn } from '@coxswain/sdk';
import fc from 'fast-check';
import { bytes } from './store-bench.js';

const key = fc.constantFrom('/p/a', '/p/b', '/p/c', '/p/d');
const value = fc.constantFrom('', '1', '2', '33');
const arbitraryOps = fc.oneof(
  fc.record({ key, value }).map(({ key, value }) => [{ type: 'put' as const, key, value: bytes(value) }]),
  fc.constant([
    { type: 'put' as const, key: '/p/a', value: bytes('t') },
    { type: 'put' as const, key: '/p/c', value: bytes('t') },
  ]),
  key.map((key) => [{ type: 'delete' as const, range: { key } }]),
  fc.constant([{ type: 'delete' as const, range: { key: '/p/b', end: '/p/d' } }]),
);
const arbitraryCompare = fc.oneof(
  fc.record({
    key,
    target: fc.constantFrom('mod' as const, 'create' as const, 'version' as const),
    op: fc.constantFrom('=' as const, '!=' as const, '<' as const, '>' as const),
    operand: fc.nat(6),
  }),
  fc.record({
    key,
    target: fc.constant('value' as const),
    op: fc.constantFrom('=' as const, '!=' as const, '<' as const, '>' as const),
    operand: value.map(bytes),
  }),
);
/** Transactions that often touch the same few keys, and often compare with what is there. */
export const arbitraryTxn: fc.Arbitrary<Txn> = fc.record({
  compare: fc.array(arbitraryCompare, { maxLength: 2 }),
  success: arbitraryOps,
  failure: arbitraryOps,
});
