/** A count, or a percentage of `total` rounded up or down. Throws for anything else. */
export function scaledValue(value: number | string, total: number, round: 'up' | 'down'): number {
  if (typeof value === 'number') return value;
  const m = /^(-?\d+)%$/.exec(value);
  if (!m) throw new Error(`invalid value for IntOrString: ${JSON.stringify(value)} is neither an integer nor a percentage`);
  const exact = (Number(m[1]) * total) / 100;
  return round === 'up' ? Math.ceil(exact) : Math.floor(exact);
}
