const SUFFIX: Readonly<Record<string, number>> = {
  '': 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** A validated quantity as a number; absent or malformed: 0. Exact enough for enforcing: cgroup files take integers of bytes and microseconds. */
export function quantityValue(quantity: string | number | undefined): number {
  if (quantity === undefined) return 0;
  const match = /^([+-]?[0-9.]+)(?:[eE]([+-]?\d+)|([A-Za-z]*))$/.exec(String(quantity));
  if (!match) return 0;
  const exponent = match[2] === undefined ? (SUFFIX[match[3] ?? ''] ?? Number.NaN) : 10 ** Number(match[2]);
  const value = Number(match[1]) * exponent;
  return Number.isFinite(value) ? value : 0;
}

// `+ 0` turns −0 into 0.

/** Thousandths of a CPU, rounded up. */
export function milliCpu(quantity: string | undefined): number {
  return Math.ceil(quantityValue(quantity) * 1000 - 1e-9) + 0;
}

/** Whole units (bytes), rounded up. */
export function wholeUnits(quantity: string | undefined): number {
  return Math.ceil(quantityValue(quantity) - 1e-9) + 0;
}

/** CPU in its canonical writing: `2`, `250m`. */
export function formatMilli(milli: number): string {
  return milli % 1000 === 0 ? String(milli / 1000) : `${milli}m`;
}

/** Bytes in the largest binary unit that is exact. */
export function formatBytes(bytes: number): string {
  for (const [unit, size] of [
    ['Gi', 2 ** 30],
    ['Mi', 2 ** 20],
    ['Ki', 2 ** 10],
  ] as const) {
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return String(bytes);
}
