import { quantityMilliValue, quantityValue } from '@coxswain/api';

/** A few hundred distinct texts stand for all quantities of a cluster, hence the memo. What is no quantity counts as nothing. */
function memoized(of: (text: string) => number): (text: string) => number {
  const memo = new Map<string, number>();
  return (text) => {
    let value = memo.get(text);
    if (value !== undefined) return value;
    try {
      value = of(text);
    } catch {
      value = 0;
    }
    if (memo.size > 10_000) memo.clear();
    memo.set(text, value);
    return value;
  };
}

/** Thousandths, rounded up: CPU. */
export const milliOf = memoized(quantityMilliValue);

/** Whole units, rounded up: bytes and counts. */
export const unitsOf = memoized(quantityValue);
