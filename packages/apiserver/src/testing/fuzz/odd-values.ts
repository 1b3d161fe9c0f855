import type { Dice } from './dice.js';

const STRINGS = [
  '',
  ' ',
  '\u0000',
  '\ufeff',
  '\u202e',
  '💥',
  'é\u0301',
  '../../etc/passwd',
  '%2e%2e%2f',
  'a'.repeat(64),
  'a'.repeat(254),
  'x'.repeat(70_000),
  '-starts-badly',
  'UPPER',
  'under_score',
  'null',
  '1e999',
  '{{.}}',
  '$(VAR)',
  '__proto__',
  'constructor',
  '\n',
  'a/b/c',
  '0x10',
  '1Gi',
  '-1Ki',
  '99999999999999999999999E',
  '2026-13-45T99:99:99Z',
  '*',
] as const;

const NUMBERS = [0, -1, 1.5, 1e308, -1e308, 2 ** 31, 2 ** 53, -(2 ** 63), 1e-300] as const;
const KEYS = [
  '__proto__',
  'constructor',
  'toString',
  'metadata',
  'spec',
  'status',
  'apiVersion',
  'kind',
  '',
  'items',
  'data',
  '$patch',
  '$setElementOrder/x',
  'x.y/z',
] as const;

/** JSON of any shape, with what programs trip over. */
export function oddValue(dice: Dice, depth = 4): unknown {
  switch (dice.int(depth > 0 ? 8 : 5)) {
    case 0:
      return null;
    case 1:
      return dice.chance(0.5);
    case 2:
      return dice.pick(NUMBERS);
    case 3:
    case 4:
      return dice.pick(STRINGS);
    case 5:
      return Array.from({ length: dice.int(5) }, () => oddValue(dice, depth - 1));
    default:
      return Object.fromEntries(
        Array.from({ length: dice.int(6) }, () => [dice.chance(0.5) ? dice.pick(KEYS) : dice.pick(STRINGS), oddValue(dice, depth - 1)]),
      );
  }
}

/** The value with a few of its parts exchanged, dropped or added. */
export function distorted(value: unknown, dice: Dice): unknown {
  if (dice.chance(0.06)) return oddValue(dice);
  if (Array.isArray(value)) {
    const items = value.map((item) => distorted(item, dice));
    if (dice.chance(0.1)) items.push(oddValue(dice), ...items);
    return items;
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(() => !dice.chance(0.06))
    .map(([key, part]) => [dice.chance(0.03) ? dice.pick(KEYS) : key, distorted(part, dice)] as const);
  if (dice.chance(0.1)) entries.push([dice.pick(KEYS), oddValue(dice)]);
  return Object.fromEntries(entries);
}

/** Text with bytes flipped, cut off, doubled, or made invalid as UTF-8. */
export function damaged(text: string, dice: Dice): Buffer {
  const bytes = Buffer.from(text);
  switch (dice.int(5)) {
    case 0:
      return bytes.subarray(0, dice.int(bytes.length + 1));
    case 1:
      return Buffer.concat([bytes, bytes]);
    case 2: {
      const at = dice.int(bytes.length + 1);
      return Buffer.concat([
        bytes.subarray(0, at),
        dice.pick([Buffer.from([0xff]), Buffer.from([0xc0, 0x80]), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from([0])]),
        bytes.subarray(at),
      ]);
    }
    default:
      for (let i = dice.int(8); i >= 0; i--) if (bytes.length > 0) bytes[dice.int(bytes.length)] = dice.int(256);
      return bytes;
  }
}
