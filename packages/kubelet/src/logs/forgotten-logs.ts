import { readdir, readlink, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Paths } from '../paths.js';

const namesIn = (folder: string) => readdir(folder).catch(() => [] as string[]);

/**
 * Removes log folders of pods that are gone, and the links to them: a kubelet that was killed between removing a container and its logs, or a
 * runtime that lost one, leaves them.
 */
export async function removeForgottenLogs(paths: Pick<Paths, 'podLogsDir' | 'containerLogsDir'>, isKnown: (uid: string) => boolean): Promise<void> {
  const forgotten = (folder: string) => {
    const [namespace, name, uid, ...more] = folder.split('_');
    return namespace && name && uid && more.length === 0 && !isKnown(uid);
  };
  for (const folder of await namesIn(paths.podLogsDir)) if (forgotten(folder)) await rm(join(paths.podLogsDir, folder), { recursive: true, force: true });
  for (const name of await namesIn(paths.containerLogsDir)) {
    const link = join(paths.containerLogsDir, name);
    const podFolder = dirname(dirname(await readlink(link).catch(() => '')));
    if (dirname(podFolder) === paths.podLogsDir && forgotten(basename(podFolder))) await rm(link, { force: true });
  }
}
