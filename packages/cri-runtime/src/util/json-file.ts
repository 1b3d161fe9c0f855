import { renameSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/**
 * Write whole or not at all. Small and local: one synchronous step costs a tenth of four trips through the thread pool, and a pod's
 * start writes several of them.
 */
export async function writeJson(path: string, value: unknown): Promise<void> {
  const temporary = `${path}.tmp`;
  writeFileSync(temporary, JSON.stringify(value), { mode: 0o600 });
  renameSync(temporary, path);
}

/** Undefined when missing or unreadable: a damaged file must not keep the server from starting. */
export async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}
