import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { CsiError } from '@coxswain/csi';

const exec = promisify(execFile);

/** Runs a tool of the machine; its complaint is the error. */
export async function tool(program: string, ...args: string[]): Promise<string> {
  try {
    return (await exec(program, args)).stdout.trim();
  } catch (error) {
    const { code, stderr = '', message } = error as { code?: unknown; stderr?: string; message: string };
    if (code === 'ENOENT') throw new CsiError('failedPrecondition', `${program} is not installed on this machine`);
    throw new CsiError('internal', `${program} ${args.join(' ')}: ${stderr.trim() || message}`);
  }
}

/** The loop device of a disk; undefined: it has none. */
export async function loopOf(file: string): Promise<string | undefined> {
  const line = (await tool('losetup', '--noheadings', '--output', 'NAME', '--associated', file)).split('\n')[0]?.trim();
  return line || undefined;
}

/** Makes a block device of a disk; the one it has, if it has one. */
export async function attachLoop(file: string): Promise<string> {
  return (await loopOf(file)) ?? tool('losetup', '--find', '--show', '--nooverlap', file);
}

/** Gives the disk's block device back; idempotent. One in use goes when it is no longer used. */
export async function detachLoop(file: string): Promise<void> {
  const device = await loopOf(file);
  if (device) await tool('losetup', '--detach', device);
}

/** Lets an ext file system that is not mounted fill its device. */
export async function growUnmounted(device: string): Promise<void> {
  const header = await tool('dumpe2fs', '-h', device);
  const value = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(header)?.[1]);
  const bytes = Number(await tool('blockdev', '--getsize64', device));
  if (value('Block count') * value('Block size') + value('Block size') > bytes) return;
  // A file system is not grown unchecked. 1: what was found was mended.
  await exec('e2fsck', ['-f', '-p', device]).catch((error: { code?: unknown; message: string }) => {
    if (error.code !== 1) throw new CsiError('internal', `e2fsck ${device}: ${error.message}`);
  });
  await tool('resize2fs', device);
}

/** What is on a device: `ext4`, …; empty: nothing that anybody knows. */
export async function fileSystemOn(device: string): Promise<string> {
  try {
    return (await exec('blkid', ['-p', '-s', 'TYPE', '-o', 'value', device])).stdout.trim();
  } catch (error) {
    // 2: nothing was found.
    if ((error as { code?: unknown }).code === 2) return '';
    throw new CsiError('internal', `blkid ${device}: ${(error as Error).message}`);
  }
}
