import { remembered } from '../util/remembered.js';

/** How a quantity was written, which decides how it is printed. */
export type QuantityFormat = 'DecimalSI' | 'BinarySI' | 'DecimalExponent';

/** An exact amount in units of 10⁻⁹. Compare and compute on `nanos`. */
export interface ParsedQuantity {
  readonly nanos: bigint;
  readonly format: QuantityFormat;
}

/** The text is no quantity; the message is what upstream says. */
export class QuantityError extends Error {}

const NANO = 1_000_000_000n;
/** Binary quantities are capped here (2⁶³−1), as upstream caps them. */
const MAX_BINARY = (2n ** 63n - 1n) * NANO;
/** Larger exponents are refused: they make no sense as an amount and would cost unbounded memory. */
const MAX_EXPONENT = 400;

const SHAPE = /^([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/;
const DECIMAL: Record<string, number> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const BINARY: Record<string, bigint> = { Ki: 10n, Mi: 20n, Gi: 30n, Ti: 40n, Pi: 50n, Ei: 60n };
const DECIMAL_SUFFIX = new Map(Object.entries(DECIMAL).map(([suffix, exponent]) => [exponent, suffix]));
const BINARY_SUFFIX = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];

/**
 * Reads `500m`, `1.5Gi`, `1e3`, `0.1` or a JSON number. Finer than 10⁻⁹ is rounded away from zero.
 * Throws QuantityError.
 */
export function parseQuantity(input: string | number): ParsedQuantity {
  const text = typeof input === 'number' ? numberText(input) : input;
  // Looked up by a name a client chose, it may be anything: `limits.constructor`.
  if (typeof text !== 'string') throw new QuantityError(FORMAT_WRONG);
  return parsed(text);
}

/** The same few amounts stand in most objects. */
const parsed = remembered(1000, (text) => parseText(text.trim()));

function parseText(text: string): ParsedQuantity {
  if (text === '') throw new QuantityError(FORMAT_WRONG);
  const match = SHAPE.exec(text);
  if (match === null) throw new QuantityError(FORMAT_WRONG);
  const [, sign = '', whole = '', fraction = '', suffix = ''] = match;
  const { format, exponent, shift } = readSuffix(suffix);
  if (whole === '' && fraction === '') throw new QuantityError('unable to parse numeric part of quantity');
  const digits = BigInt(whole + fraction || '0') << shift;
  const magnitude = digits === 0n ? 0n : scaled(digits, 9 + exponent - fraction.length);
  const capped = format === 'BinarySI' && magnitude > MAX_BINARY ? MAX_BINARY : magnitude;
  const small = format === 'BinarySI' && capped > 0n && capped < NANO;
  return { nanos: sign === '-' ? -capped : capped, format: small ? 'DecimalSI' : format };
}

const FORMAT_WRONG = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";

function readSuffix(suffix: string): { format: QuantityFormat; exponent: number; shift: bigint } {
  const decimal = DECIMAL[suffix];
  if (decimal !== undefined) return { format: 'DecimalSI', exponent: decimal, shift: 0n };
  const binary = BINARY[suffix];
  if (binary !== undefined) return { format: 'BinarySI', exponent: 0, shift: binary };
  const exponent = /^[eE]([-+]?[0-9]+)$/.exec(suffix)?.[1];
  if (exponent === undefined || Math.abs(Number(exponent)) > MAX_EXPONENT) {
    throw new QuantityError("unable to parse quantity's suffix");
  }
  return { format: 'DecimalExponent', exponent: Number(exponent), shift: 0n };
}

const POWERS = Array.from({ length: 32 }, (_, power) => 10n ** BigInt(power));
const powerOfTen = (power: number): bigint => POWERS[power] ?? 10n ** BigInt(power);

/** digits × 10^power, rounded up when the power is negative. */
function scaled(digits: bigint, power: number): bigint {
  if (power >= 0) return digits * powerOfTen(power);
  const divisor = powerOfTen(-power);
  return (digits + divisor - 1n) / divisor;
}

const numberText = (value: number): string => {
  if (!Number.isFinite(value)) throw new QuantityError(FORMAT_WRONG);
  return String(value);
};

/** The canonical text: no fraction, the largest suffix that keeps the value exact. */
export function formatQuantity({ nanos, format }: ParsedQuantity): string {
  if (nanos === 0n) return '0';
  const magnitude = nanos < 0n ? -nanos : nanos;
  const sign = nanos < 0n ? '-' : '';
  if (format === 'BinarySI' && magnitude >= 1024n * NANO && magnitude % NANO === 0n) {
    return sign + formatBinary(magnitude / NANO);
  }
  return sign + formatDecimal(magnitude, format === 'DecimalExponent');
}

function formatBinary(units: bigint): string {
  let power = 0;
  let rest = units;
  while (power < BINARY_SUFFIX.length - 1 && rest % 1024n === 0n) {
    rest /= 1024n;
    power++;
  }
  return `${rest}${BINARY_SUFFIX[power]}`;
}

function formatDecimal(nanos: bigint, asExponent: boolean): string {
  let exponent = -9;
  let rest = nanos;
  while (rest % 1000n === 0n && (asExponent || exponent < 18)) {
    rest /= 1000n;
    exponent += 3;
  }
  if (!asExponent) return `${rest}${DECIMAL_SUFFIX.get(exponent)}`;
  return exponent === 0 ? `${rest}` : `${rest}e${exponent}`;
}

/** `1000m` → `1`, `1024Mi` → `1Gi`. Throws QuantityError. */
export function canonicalQuantity(input: string | number): string {
  return typeof input === 'string' ? canonicalText(input) : formatQuantity(parseQuantity(input));
}

const canonicalText = remembered(1000, (text) => formatQuantity(parseQuantity(text)));
