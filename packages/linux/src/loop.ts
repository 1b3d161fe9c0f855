import { readdir, readFile } from 'node:fs/promises';
import { ownEnvironment, runProgram } from './program.js';

export interface LoopDevice {
  /** `/dev/loop0` */
  readonly device: string;
  /** The file behind it. */
  readonly file: string;
}

/** The loop devices of the machine whose file is in `folder`. */
export async function loopDevicesOf(folder: string): Promise<LoopDevice[]> {
  const out: LoopDevice[] = [];
  for (const name of await readdir('/sys/block')) {
    if (!name.startsWith('loop')) continue;
    // Absent while nothing is behind it.
    const file = (await readFile(`/sys/block/${name}/loop/backing_file`, 'utf8').catch(() => '')).trim();
    if (file.startsWith(`${folder}/`)) out.push({ device: `/dev/${name}`, file });
  }
  return out;
}

/** Gives them back; one that is mounted goes with its last mount. */
export async function detachLoopDevicesOf(folder: string): Promise<void> {
  for (const { device } of await loopDevicesOf(folder)) {
    const { end, stderr } = await runProgram({ path: 'losetup', args: ['--detach', device], env: ownEnvironment() });
    if (end.code !== 0) throw new Error(`losetup --detach ${device} failed (${end.signal ?? end.code}): ${stderr.trim()}`);
  }
}
