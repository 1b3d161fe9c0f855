/** Suffix → factor of a resource quantity. */
const FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9, u: 1e-6, m: 1e-3, '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18,
  Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60,
};
const PATTERN = /^([+-]?[0-9.]+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?$/;

const memo = new Map<string, number>();

/** A few hundred distinct texts stand for all quantities of a cluster, hence the memo. What is no quantity counts as nothing. */
function amount(text: string): number {
  let value = memo.get(text);
  if (value !== undefined) return value;
  const [, digits = '0', suffix = ''] = PATTERN.exec(String(text)) ?? [];
  value = /^[eE][+-]?\d/.test(suffix) ? Number(digits + suffix) : Number(digits) * (FACTORS[suffix] ?? 1);
  if (memo.size > 10_000) memo.clear();
  memo.set(text, value);
  return value;
}

// Binary fractions: 0.1 * 1000 must not become 101 after rounding up.
const ceil = (n: number): number => Math.ceil(Number(n.toFixed(6)));

/** Thousandths, rounded up: CPU. */
export const milliOf = (quantity: string): number => ceil(amount(quantity) * 1000);

/** Whole units, rounded up: bytes and counts. */
export const unitsOf = (quantity: string): number => ceil(amount(quantity));
