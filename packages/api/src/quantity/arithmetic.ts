import type { Quantity } from '../generated/types.js';
import { formatQuantity, type ParsedQuantity, parseQuantity, QuantityError } from './quantity.js';

const NANO = 1_000_000_000n;

/** Negative, zero or positive, as for sorting. Throws QuantityError for text that is no quantity. */
export function compareQuantities(a: Quantity, b: Quantity): number {
  const left = parseQuantity(a).nanos;
  const right = parseQuantity(b).nanos;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The sum, written in the format of the first that is not zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  return combine(a, b, (left, right) => left + right);
}

/** The difference, written in the format of the first that is not zero. */
export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return combine(a, b, (left, right) => left - right);
}

function combine(a: Quantity, b: Quantity, operation: (left: bigint, right: bigint) => bigint): Quantity {
  const left = parseQuantity(a);
  const right = parseQuantity(b);
  const result: ParsedQuantity = {
    nanos: operation(left.nanos, right.nanos),
    format: left.nanos === 0n ? right.format : left.format,
  };
  return formatQuantity(result);
}

/** Whole units, rounded up (bytes of memory, number of CPUs). */
export function quantityValue(quantity: Quantity): number {
  return Number(ceilDivide(parseQuantity(quantity).nanos, NANO));
}

/** Thousandths, rounded up (millicores). */
export function quantityMilliValue(quantity: Quantity): number {
  return Number(ceilDivide(parseQuantity(quantity).nanos, NANO / 1000n));
}

/** Away from zero, as upstream rounds. */
function ceilDivide(value: bigint, divisor: bigint): bigint {
  const magnitude = value < 0n ? -value : value;
  const rounded = (magnitude + divisor - 1n) / divisor;
  return value < 0n ? -rounded : rounded;
}

/** Whether the text can be parsed. */
export function isQuantity(input: string | number): boolean {
  try {
    parseQuantity(input);
    return true;
  } catch (error) {
    if (error instanceof QuantityError) return false;
    throw error;
  }
}
