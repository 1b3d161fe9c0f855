import { type FSWatcher, watch } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Logger } from '@coxswain/sdk';

/** conmon that was killed writes no file: what runs is looked at this often, too. */
const SWEEP_MS = 10_000;

export interface ExitFile {
  readonly exitCode: number;
  /** Nanoseconds since the epoch. */
  readonly finishedAt: bigint;
}

/** What conmon wrote about a container's end; undefined while it has not. */
export async function readExit(exitsDir: string, id: string): Promise<ExitFile | undefined> {
  const path = join(exitsDir, id);
  try {
    const [text, { mtimeNs }] = await Promise.all([readFile(path, 'utf8'), stat(path, { bigint: true })]);
    const exitCode = Number.parseInt(text, 10);
    return Number.isNaN(exitCode) ? undefined : { exitCode, finishedAt: mtimeNs };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Follows the folder of exit files. Returns its stop. `sweep` is called at intervals, for ends that leave no file. */
export function watchExits(
  exitsDir: string,
  handlers: { readonly exit: (id: string) => void; readonly sweep: () => void },
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): () => void {
  let watcher: FSWatcher | undefined = watch(exitsDir, { persistent: false }, (_event, name) => {
    // Written under a temporary name and renamed: `<id>.XXXXXX`.
    if (name && !name.includes('.')) handlers.exit(name);
  });
  watcher.on('error', (error) => {
    logger.warn('watching for exits failed; looking at intervals only', { err: error });
    watcher?.close();
    watcher = undefined;
  });
  let cancel = () => {};
  const again = () => {
    cancel = clock.setTimeout(() => {
      handlers.sweep();
      again();
    }, SWEEP_MS);
  };
  again();
  return () => {
    cancel();
    watcher?.close();
  };
}
