import { formatQuantity, parseQuantity } from '@coxswain/api';

/** Resource names with quantities. */
export type Amounts = Readonly<Record<string, string>>;

const ZERO = parseQuantity('0');

function combine(a: string | undefined, b: string | undefined, sign: bigint): string {
  const x = a === undefined ? ZERO : parseQuantity(a);
  const y = b === undefined ? ZERO : parseQuantity(b);
  return formatQuantity({ nanos: x.nanos + sign * y.nanos, format: (a === undefined || x.nanos === 0n ? y : x).format });
}

export const add = (a: string | undefined, b: string | undefined): string => combine(a, b, 1n);
export const subtract = (a: string | undefined, b: string | undefined): string => combine(a, b, -1n);
export const sign = (a: string): number => {
  const { nanos } = parseQuantity(a);
  return nanos > 0n ? 1 : nanos < 0n ? -1 : 0;
};
export const isMore = (a: string, b: string): boolean => parseQuantity(a).nanos > parseQuantity(b).nanos;

export const larger = (a: string | undefined, b: string | undefined): string => (isMore(a ?? '0', b ?? '0') ? (a ?? '0') : (b ?? '0'));

export function merge(a: Amounts, b: Amounts, with_: (x: string | undefined, y: string | undefined) => string): Amounts {
  const out: Record<string, string> = {};
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) out[name] = with_(a[name], b[name]);
  return out;
}

/** `a=1,b=2`, by name. */
export const textOf = (amounts: Amounts, names: readonly string[]): string =>
  [...names]
    .sort()
    .map((name) => `${name}=${amounts[name] ?? '0'}`)
    .join(',');
