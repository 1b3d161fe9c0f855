import type { Environment } from '@marcbachmann/cel-js';
import { compilePattern } from '../pattern.js';

/** The extended string library, and regular expressions. */
export function registerStrings(env: Environment): void {
  const at = (text: string, index: bigint): string => {
    const letters = [...text];
    const i = Number(index);
    if (i < 0 || i > letters.length) throw new Error(`index out of range: ${i}`);
    return letters[i] ?? '';
  };
  env.registerFunction('string.charAt(int): string', at);
  env.registerFunction('string.replace(string, string): string', (text: string, from: string, to: string) => text.replaceAll(from, () => to));
  env.registerFunction('string.replace(string, string, int): string', (text: string, from: string, to: string, count: bigint) => {
    if (count < 0n) return text.replaceAll(from, () => to);
    let out = text;
    let start = 0;
    for (let n = 0n; n < count; n++) {
      const found = out.indexOf(from, start);
      if (found < 0) break;
      out = out.slice(0, found) + to + out.slice(found + from.length);
      start = found + to.length;
    }
    return out;
  });
  env.registerFunction('string.reverse(): string', (text: string) => [...text].reverse().join(''));
  env.registerFunction('string.format(list): string', (text: string, values: unknown[]) => format(text, values));
  env.registerFunction('string.find(string): string', (text: string, pattern: string) => regex(pattern).exec(text)?.[0] ?? '');
  env.registerFunction('string.findAll(string): list<string>', (text: string, pattern: string) => findAll(text, pattern, -1));
  env.registerFunction('string.findAll(string, int): list<string>', (text: string, pattern: string, limit: bigint) => findAll(text, pattern, Number(limit)));
  class Strings {}
  env.registerType('Strings', Strings);
  env.registerConstant('strings', 'Strings', new Strings());
  env.registerFunction('Strings.quote(string): string', (_: Strings, text: string) => JSON.stringify(text));
}

function regex(pattern: string): RegExp {
  const compiled = compilePattern(pattern);
  if (!compiled) throw new Error(`error parsing regexp: ${pattern}`);
  return compiled;
}

function findAll(text: string, pattern: string, limit: number): string[] {
  const { source, flags } = regex(pattern);
  const all = [...text.matchAll(new RegExp(source, `${flags}g`))].map((match) => match[0]);
  return limit < 0 ? all : all.slice(0, limit);
}

/** `%s %d %f %.2f %e %b %x %X %o %%`. */
function format(text: string, values: readonly unknown[]): string {
  let next = 0;
  return text.replace(/%(?:\.(\d+))?([sdfebxXo%])/g, (_, precision: string | undefined, verb: string) => {
    if (verb === '%') return '%';
    if (next >= values.length) throw new Error(`index ${next} out of range`);
    const value = values[next++];
    switch (verb) {
      case 's':
        return show(value);
      case 'd':
        return String(value);
      case 'f':
        return Number(value).toFixed(precision === undefined ? 6 : Number(precision));
      case 'e':
        return Number(value)
          .toExponential(precision === undefined ? 6 : Number(precision))
          .replace(/e([+-])(\d)$/, 'e$10$2');
      case 'b':
        return typeof value === 'boolean' ? (value ? '1' : '0') : BigInt(value as bigint).toString(2);
      case 'o':
        return BigInt(value as bigint).toString(8);
      default: {
        const hex =
          typeof value === 'string'
            ? Buffer.from(value).toString('hex')
            : value instanceof Uint8Array
              ? Buffer.from(value).toString('hex')
              : BigInt(value as bigint).toString(16);
        return verb === 'X' ? hex.toUpperCase() : hex;
      }
    }
  });
}

function show(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null) return 'null';
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (value instanceof Map) return `{${[...value].map(([key, member]) => `${show(key)}: ${show(member)}`).join(', ')}}`;
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z');
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) return show(new Map(Object.entries(value)));
  return String(value);
}
