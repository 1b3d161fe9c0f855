import type { ErrorFactory } from './errors.js';
import { contains } from './key-range.js';
import type { KeyRange, RangeOptions, StoreOp, Txn } from './types.js';

/** Throws `invalid` for a transaction that etcd would refuse too: empty keys, a key written twice in one branch. */
export function validateTxn(txn: Txn, errors: ErrorFactory): void {
  for (const compare of txn.compare) {
    if (compare.key === '') throw errors.invalid('a compare needs a key');
  }
  validateOps(txn.success, errors);
  if (txn.failure) validateOps(txn.failure, errors);
}

/** True when no branch can write. */
export function isReadOnly(txn: Txn): boolean {
  return txn.success.every(isRange) && (txn.failure ?? []).every(isRange);
}

export function validateRange(range: KeyRange, options: RangeOptions | undefined, errors: ErrorFactory): void {
  if (range.key === '' && range.end === undefined) throw errors.invalid('a range needs a key');
  if (range.end === '') throw errors.invalid('a range end must not be empty');
  const limit = options?.limit;
  if (limit !== undefined && (!Number.isInteger(limit) || limit < 0)) {
    throw errors.invalid(`limit must be a whole number of at least 0, not ${limit}`);
  }
}

function isRange(op: StoreOp): boolean {
  return op.type === 'range';
}

function validateOps(ops: readonly StoreOp[], errors: ErrorFactory): void {
  const puts = new Set<string>();
  const deletes: KeyRange[] = [];
  for (const op of ops) {
    switch (op.type) {
      case 'put':
        if (op.key === '') throw errors.invalid('a put needs a key');
        if (puts.has(op.key)) throw errors.invalid(`key ${op.key} is put twice in one transaction`);
        puts.add(op.key);
        break;
      case 'delete':
        validateRange(op.range, undefined, errors);
        deletes.push(op.range);
        break;
      case 'range':
        validateRange(op.range, op.options, errors);
    }
  }
  for (const range of deletes) {
    for (const key of puts) {
      if (contains(range, key)) throw errors.invalid(`key ${key} is both put and deleted in one transaction`);
    }
  }
}
