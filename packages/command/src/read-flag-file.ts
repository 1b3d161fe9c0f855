import { readFileSync } from 'node:fs';
import { CliError } from './cli-error.js';

/** The content of a file a flag names. */
export function readFlagFile(flag: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CliError(`${flag}: ${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? (error as Error).message}`, undefined, 2);
  }
}
