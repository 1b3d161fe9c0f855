import { formatDuration } from '@coxswain/apimachinery';
import type { Command } from 'commander';
import { seconds } from './option-values.js';

let flags: Readonly<Record<string, string>> = {};

/** Of this process, which has one command line, whoever asks for it. */
export function rememberFlags(command: Command): void {
  flags = flagValues(command);
}

/** What `/flagz` tells: every flag of the command that this process runs, with what it came to. */
export const processFlags = (): Readonly<Record<string, string>> => flags;

/** The values of all flags, given or by default, as a command line would give them; those without a value are empty. */
export function flagValues(command: Pick<Command, 'options' | 'getOptionValue'>): Record<string, string> {
  const values = command.options.map((option): [string, string] => {
    const value: unknown = command.getOptionValue(option.attributeName());
    return [option.name(), typeof value === 'number' && option.parseArg === seconds ? formatDuration(value * 1000) : text(value)];
  });
  return Object.fromEntries(values.filter(([name]) => name !== 'version'));
}

function text(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (Array.isArray(value)) return `[${value.map(text).join(',')}]`;
  if (typeof value !== 'object') return String(value);
  return Object.entries(value)
    .map(([key, each]) => `${key}=${text(each)}`)
    .join(',');
}
