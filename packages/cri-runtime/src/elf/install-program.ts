import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writes a program that anybody may run, unless it is there. Another server may be doing the same, or running the old one: it is put in place whole. */
export async function installProgram(path: string, program: Uint8Array): Promise<void> {
  if ((await readFile(path).catch(() => undefined))?.equals(program)) return;
  await mkdir(dirname(path), { recursive: true, mode: 0o711 });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, program, { mode: 0o755 });
  await chmod(temporary, 0o755);
  await rename(temporary, path);
}
