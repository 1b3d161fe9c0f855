import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { ContainerConfigError } from './config-error.js';

const MAX_KEY = 128;
const MAX_VALUE = 32 * 1024;

/** The value of `key` in a file of a volume (`fileKeyRef`); undefined when the file or the key is not there. Throws what the container is refused for. */
export async function envFileKey(volume: string | undefined, path: string, key: string): Promise<string | undefined> {
  if (volume === undefined) throw new ContainerConfigError('cannot find the volume referenced by FileKeyRef');
  if (key.length > MAX_KEY) throw new ContainerConfigError(`environment variable key "${key}" exceeds maximum length of ${MAX_KEY} characters`);
  const text = await readInside(volume, path);
  if (text === undefined) return undefined;
  let value: string | undefined;
  try {
    value = valueInEnvFile(text, key);
  } catch (error) {
    throw new ContainerConfigError(`couldn't parse env file: ${(error as Error).message}`);
  }
  if (value !== undefined && Buffer.byteLength(value) > MAX_VALUE)
    throw new ContainerConfigError(`environment variable value for key "${key}" exceeds maximum size of 32KB`);
  return value;
}

/** What the pod wrote may be a link: it is followed no further than the volume. */
async function readInside(volume: string, path: string): Promise<string | undefined> {
  try {
    const root = await realpath(volume);
    const file = await realpath(join(root, path));
    return file.startsWith(`${root}/`) ? await readFile(file, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The value of `key` in lines as a POSIX shell would take them, strictly: `NAME='value'`, the value in single quotes, over several lines
 * if it likes, and perhaps a comment behind it. Throws which line is something else; lines behind the key's are not looked at.
 */
export function valueInEnvFile(text: string, key: string): string | undefined {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  for (let at = 0; at < lines.length; at++) {
    const line = (lines[at] as string).replace(/^[ \t]+/, '');
    if (line === '' || line.startsWith('#')) continue;
    const wrong = (what: string) => new Error(`invalid environment variable format at line ${at + 1}: ${what}`);
    const equals = line.indexOf('=');
    if (equals === -1) throw wrong("missing '='");
    const name = line.slice(0, equals);
    if (name.trim() === '') throw wrong('empty variable name');
    if (/[ \t]$/.test(name)) throw wrong("whitespace before '=' is not allowed");
    let rest = line.slice(equals + 1);
    // To a shell that is an empty value, and then a command.
    if (/^[ \t]/.test(rest)) {
      if (name === key) return '';
      continue;
    }
    if (!rest.startsWith("'")) throw wrong('value must be enclosed in single quotes');
    const began = at + 1;
    let value = '';
    rest = rest.slice(1);
    while (!rest.includes("'")) {
      value += `${rest}\n`;
      at++;
      if (at >= lines.length) throw new Error(`invalid environment variable format starting at line ${began}: unclosed single quote`);
      rest = lines[at] as string;
    }
    const close = rest.indexOf("'");
    value += rest.slice(0, close);
    if (!/^[ \t]*(#.*)?$/.test(rest.slice(close + 1))) throw wrong('unexpected content after closing quote');
    if (name === key) return value;
  }
  return undefined;
}
