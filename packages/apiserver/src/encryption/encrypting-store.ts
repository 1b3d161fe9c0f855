import { type KeyValue, type StateStore, StoreError, type StoreOp } from '@coxswain/sdk';
import { translatedStore } from '../storage/translated-store.js';
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
  return translatedStore(store, { shown: opened, op: sealed });
}
