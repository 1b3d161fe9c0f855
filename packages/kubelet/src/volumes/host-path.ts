import { mkdir, stat, writeFile } from 'node:fs/promises';

/** Checks, and for the …OrCreate types makes, what a hostPath volume names. */
export async function checkHostPath(path: string, type: string | undefined): Promise<void> {
  if (path.split('/').includes('..')) throw new Error(`hostPath must not contain '..': ${path}`);
  if (!type) return;
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
  const need = (ok: boolean | undefined, what: string) => {
    if (!ok) throw new Error(`hostPath type check failed: ${path} is not a ${what}`);
  };
  switch (type) {
    case 'DirectoryOrCreate':
      if (!found) await mkdir(path, { recursive: true, mode: 0o755 });
      else need(found.isDirectory(), 'directory');
      return;
    case 'Directory':
      return need(found?.isDirectory(), 'directory');
    case 'FileOrCreate':
      if (!found) await writeFile(path, '', { mode: 0o644, flag: 'wx' });
      else need(found.isFile(), 'file');
      return;
    case 'File':
      return need(found?.isFile(), 'file');
    case 'Socket':
      return need(found?.isSocket(), 'socket file');
    case 'CharDevice':
      return need(found?.isCharacterDevice(), 'character device');
    case 'BlockDevice':
      return need(found?.isBlockDevice(), 'block device');
    default:
      throw new Error(`${type} is an invalid volume type`);
  }
}
