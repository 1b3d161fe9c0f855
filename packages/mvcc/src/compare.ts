import type { Compare, CompareOp, KeyValue } from './types.js';

/** etcd's rules: a missing key has revisions and version 0; comparing the value of a missing key never holds. */
export function holds(compare: Compare, kv: KeyValue | undefined): boolean {
  if (compare.target === 'value') {
    return kv !== undefined && decide(compare.op, Buffer.compare(kv.value, compare.operand));
  }
  return decide(compare.op, field(compare.target, kv) - compare.operand);
}

function field(target: 'mod' | 'create' | 'version', kv: KeyValue | undefined): number {
  if (!kv) return 0;
  switch (target) {
    case 'mod':
      return kv.modRevision;
    case 'create':
      return kv.createRevision;
    case 'version':
      return kv.version;
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
