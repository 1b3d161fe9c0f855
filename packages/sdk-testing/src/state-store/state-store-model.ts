import type { Compare, StoreOp, Txn } from '@coxswain/sdk';

/** What a model store answers: values as text. */
export interface ModelKv {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
}

export interface ModelEvent {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly value: string;
  readonly revision: number;
}

type State = ReadonlyMap<string, ModelKv>;

/** The contract in its most obvious form: a whole map per revision. */
export class StateStoreModel {
  readonly states: State[] = [new Map(), new Map()];
  readonly events: ModelEvent[] = [];

  get revision(): number {
    return this.states.length - 1;
  }

  at(revision: number): readonly ModelKv[] {
    return [...(this.states[revision] as State).values()].sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  txn(txn: Txn): boolean {
    const before = this.states[this.revision] as State;
    const succeeded = txn.compare.every((c) => holds(c, before.get(c.key)));
    const next = new Map(before);
    const revision = this.revision + 1;
    const events: ModelEvent[] = [];
    for (const op of succeeded ? txn.success : (txn.failure ?? [])) apply(op, next, revision, events);
    if (events.length > 0) {
      this.states.push(next);
      this.events.push(...events);
    }
    return succeeded;
  }
}

function apply(op: StoreOp, state: Map<string, ModelKv>, revision: number, events: ModelEvent[]): void {
  if (op.type === 'put') {
    const previous = state.get(op.key);
    const value = Buffer.from(op.value).toString();
    const createRevision = previous?.createRevision ?? revision;
    state.set(op.key, { key: op.key, value, createRevision, modRevision: revision, version: (previous?.version ?? 0) + 1 });
    events.push({ type: 'put', key: op.key, value, revision });
  } else if (op.type === 'delete') {
    const { key, end } = op.range;
    for (const k of [...state.keys()].sort()) {
      if (end === undefined ? k !== key : k < key || k >= end) continue;
      state.delete(k);
      events.push({ type: 'delete', key: k, value: '', revision });
    }
  }
}

function holds(compare: Compare, kv: ModelKv | undefined): boolean {
  if (compare.target === 'value') {
    if (!kv) return false;
    return decide(compare.op, Buffer.compare(Buffer.from(kv.value), compare.operand));
  }
  const field = { mod: kv?.modRevision, create: kv?.createRevision, version: kv?.version }[compare.target] ?? 0;
  return decide(compare.op, field - compare.operand);
}

function decide(op: Compare['op'], difference: number): boolean {
  return { '=': difference === 0, '!=': difference !== 0, '<': difference < 0, '>': difference > 0 }[op];
}
