import type { KeyValue, RangeResult, StateStore, StoreOp, StoreOpResult, WatchEvent } from '@coxswain/sdk';
import { StoreError } from '@coxswain/sdk';
import type { EncryptionRule } from './encryption-config.js';

/** A store whose values are encrypted by rules, and that shows them as if they were not. */
export function encryptingStore(store: StateStore, rules: readonly EncryptionRule[]): StateStore {
  const ruleOf = (key: string) => rules.find(({ prefix }) => key.startsWith(prefix));
  const opened = (kv: KeyValue): KeyValue => {
    const rule = kv.value.length === 0 ? undefined : ruleOf(kv.key);
    if (!rule) return kv;
    const provider = rule.providers.find((each) => each.reads(kv.value));
    if (!provider) throw new StoreError('corrupt', `the value of ${kv.key} is encrypted with a key that is not configured`);
    const value = provider.decrypt(kv.value, kv.key);
    return value === kv.value ? kv : { ...kv, value };
  };
  const sealed = (op: StoreOp): StoreOp => {
    const rule = op.type === 'put' ? ruleOf(op.key) : undefined;
    return op.type === 'put' && rule ? { ...op, value: rule.providers[0]?.encrypt(op.value, op.key) ?? op.value } : op;
  };
  const range = (result: RangeResult): RangeResult => ({ ...result, kvs: result.kvs.map(opened) });
  const shown = (result: StoreOpResult): StoreOpResult => {
    switch (result.type) {
      case 'range':
        return { type: 'range', result: range(result.result) };
      case 'put':
        return result.prevKv ? { type: 'put', prevKv: opened(result.prevKv) } : result;
      case 'delete':
        return result.prevKvs ? { ...result, prevKvs: result.prevKvs.map(opened) } : result;
    }
  };
  const event = (each: WatchEvent): WatchEvent => ({ ...each, kv: opened(each.kv), ...(each.prevKv ? { prevKv: opened(each.prevKv) } : {}) });
  const changed: Pick<StateStore, 'range' | 'txn' | 'watch'> = {
    range: async (...args) => range(await store.range(...args)),
    async txn(txn, signal) {
      const { success, failure } = txn;
      const result = await store.txn({ ...txn, success: success.map(sealed), ...(failure ? { failure: failure.map(sealed) } : {}) }, signal);
      return { ...result, results: result.results.map(shown) };
    },
    async *watch(request, signal) {
      for await (const batch of store.watch(request, signal)) yield { ...batch, events: batch.events.map(event) };
    },
  };
  // Everything else goes to the store itself, with itself as `this`.
  return new Proxy(store, {
    get(target, name) {
      if (name in changed) return changed[name as keyof typeof changed];
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
