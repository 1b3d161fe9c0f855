import type { Compare, CompareOp } from './types.js';

/** What is compared of a key. The value is fetched only when it is. */
export interface Comparable {
  readonly modRevision: number;
  readonly createRevision: number;
  readonly version: number;
}

/** etcd's rules: a missing key has revisions and version 0; comparing the value of a missing key never holds. */
export function holds<T extends Comparable>(compare: Compare, found: T | undefined, value: (found: T) => Uint8Array): boolean {
  if (compare.target === 'value') {
    return found !== undefined && decide(compare.op, Buffer.compare(value(found), compare.operand));
  }
  return decide(compare.op, field(compare.target, found) - compare.operand);
}

function field(target: 'mod' | 'create' | 'version', found: Comparable | undefined): number {
  if (!found) return 0;
  switch (target) {
    case 'mod':
      return found.modRevision;
    case 'create':
      return found.createRevision;
    case 'version':
      return found.version;
  }
}

function decide(op: CompareOp, difference: number): boolean {
  switch (op) {
    case '=':
      return difference === 0;
    case '!=':
      return difference !== 0;
    case '<':
      return difference < 0;
    case '>':
      return difference > 0;
  }
}
