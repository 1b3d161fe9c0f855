import { isIP } from 'node:net';
import { parseBoolean, parseDuration } from '@coxswain/apimachinery';

/**
 * Flags as given, by upstream's names without the dashes. Repeated flags are joined by commas, `--tls-sni-cert-key`, whose values have commas
 * themselves, by line breaks.
 */
export type ApiServerFlags = Readonly<Record<string, string | undefined>>;

/** Flags of one topic with their meaning, for `--help`. */
export type FlagTable = Readonly<Record<string, string>>;

/** Reads flags and gathers everything that is wrong with them; what it answers for a wrong one is of no use but to go on. */
export class FlagReader {
  readonly problems: string[] = [];

  constructor(readonly flags: ApiServerFlags) {}

  problem(name: string, message: string): void {
    this.problems.push(`--${name}: ${message}`);
  }

  /** An empty text is as if the flag had not been given. */
  text(name: string): string | undefined {
    return this.flags[name] || undefined;
  }

  list(name: string, fallback: readonly string[] = []): readonly string[] {
    const items = this.text(name)
      ?.split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
    return items ?? fallback;
  }

  boolean(name: string, fallback: boolean): boolean {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const value = parseBoolean(text);
    if (value === undefined) this.problem(name, `${JSON.stringify(text)} is not true or false`);
    return value ?? fallback;
  }

  /** A whole number. */
  number(name: string, fallback: number, min: number, max: number): number {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) this.problem(name, `${JSON.stringify(text)} is not a number from ${min} to ${max}`);
    return value;
  }

  /** Milliseconds. */
  duration(name: string, fallback: number): number {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const ms = parseDuration(text);
    if (ms === undefined || ms < 0) this.problem(name, `${JSON.stringify(text)} is not a duration such as 5m or 1h30m`);
    return ms ?? fallback;
  }

  address(name: string, fallback: string): string {
    const value = this.text(name) ?? fallback;
    if (isIP(value) === 0) this.problem(name, `${JSON.stringify(value)} is not an IP address`);
    return value;
  }

  oneOf<Value extends string>(name: string, values: readonly Value[], fallback: Value): Value {
    const text = this.text(name);
    if (text === undefined) return fallback;
    if (!values.includes(text as Value)) this.problem(name, `${JSON.stringify(text)} is not one of ${values.join(', ')}`);
    return text as Value;
  }
}
