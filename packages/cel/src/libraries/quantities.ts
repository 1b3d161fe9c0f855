import { addQuantities, compareQuantities, isQuantity, parseQuantity, quantityValue, subtractQuantities } from '@coxswain/api';
import type { Environment } from '@marcbachmann/cel-js';

class Quantity {
  constructor(readonly text: string) {}
}

const of = (value: Quantity | bigint): string => (value instanceof Quantity ? value.text : value.toString());

/** A quantity as expressions see it. */
export const celQuantity = (text: string): unknown => new Quantity(text);

/** Kubernetes' quantity library. */
export function registerQuantities(env: Environment): void {
  const type = 'kubernetes.Quantity';
  env.registerType(type, Quantity);
  env.registerFunction(`quantity(string): ${type}`, (text: string) => {
    if (!isQuantity(text)) throw new Error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
    return new Quantity(text);
  });
  env.registerFunction('isQuantity(string): bool', (text: string) => isQuantity(text));
  const whole = (quantity: Quantity) => compareQuantities(quantity.text, String(quantityValue(quantity.text))) === 0;
  env.registerFunction(`${type}.isInteger(): bool`, whole);
  env.registerFunction(`${type}.asInteger(): int`, (quantity: Quantity) => {
    if (!whole(quantity)) throw new Error('cannot convert value to integer');
    return BigInt(quantityValue(quantity.text));
  });
  env.registerFunction(`${type}.asApproximateFloat(): double`, approximate);
  env.registerFunction(`${type}.sign(): int`, (quantity: Quantity) => BigInt(Math.sign(compareQuantities(quantity.text, '0'))));
  for (const other of [type, 'int']) {
    env.registerFunction(`${type}.add(${other}): ${type}`, (a: Quantity, b: Quantity | bigint) => new Quantity(addQuantities(a.text, of(b)) as string));
    env.registerFunction(`${type}.sub(${other}): ${type}`, (a: Quantity, b: Quantity | bigint) => new Quantity(subtractQuantities(a.text, of(b)) as string));
  }
  env.registerFunction(`${type}.isLessThan(${type}): bool`, (a: Quantity, b: Quantity) => compareQuantities(a.text, b.text) < 0);
  env.registerFunction(`${type}.isGreaterThan(${type}): bool`, (a: Quantity, b: Quantity) => compareQuantities(a.text, b.text) > 0);
  env.registerFunction(`${type}.compareTo(${type}): int`, (a: Quantity, b: Quantity) => BigInt(Math.sign(compareQuantities(a.text, b.text))));
  env.registerOperator(`${type} == ${type}`, (a: Quantity, b: Quantity) => compareQuantities(a.text, b.text) === 0);
}

const approximate = ({ text }: Quantity) => Number(parseQuantity(text).nanos) / 1e9;
