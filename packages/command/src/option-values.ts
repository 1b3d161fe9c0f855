import { parseBoolean, parseDuration } from '@coxswain/apimachinery';
import { InvalidArgumentError, Option } from 'commander';

/** A flag that is on or off, written as upstream's are: `--leader-elect`, `--leader-elect=false`. */
export function onOff(name: string, description: string, byDefault?: boolean): Option {
  return new Option(`--${name} [boolean]`, description).argParser(boolean).preset('true').default(byDefault);
}

function boolean(text: string): boolean {
  const value = parseBoolean(text);
  if (value === undefined) throw new InvalidArgumentError('give true or false.');
  return value;
}

/** For `Command.option`: a whole number from 0. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) throw new InvalidArgumentError('give a whole number.');
  return value;
}

/** For `Command.option`: a number from 0, such as 0.1. */
export function share(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError('give a number such as 0.1.');
  return Number(text);
}

/** For `Command.option`: a port, or 0. */
export function portNumber(text: string): number {
  const value = wholeNumber(text);
  if (value > 65_535) throw new InvalidArgumentError('a port is a number from 0 to 65535.');
  return value;
}

/** For `Command.option`: a duration as upstream writes it (`1m30s`), or a plain number of seconds. Answers seconds. */
export function seconds(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  const ms = parseDuration(text);
  if (ms === undefined || ms < 0) throw new InvalidArgumentError('give a duration such as 40s or 1m30s.');
  return ms / 1000;
}

/** For `Command.option`: upstream takes a list with commas, or the flag several times. */
export function repeatable(text: string, before: string | undefined): string {
  return before === undefined ? text : `${before},${text}`;
}

/** `a,b,c`, with or without spaces. */
export function list(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** `a=b,c=d`. */
export function pairs(text: string): Record<string, string> {
  return Object.fromEntries(
    list(text).map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new InvalidArgumentError(`"${pair}" is not key=value.`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

/** The key commander keeps a flag's value under: `leaderElect` for `leader-elect`. */
export function optionKey(flag: string): string {
  return new Option(`--${flag}`).attributeName();
}
