import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What is known on disk of a volume that is staged, or published to a pod, so that any later kubelet can undo it. */
export interface VolumeRecord {
  readonly specVolID: string;
  readonly volumeHandle: string;
  readonly driverName: string;
  readonly volumeLifecycleMode: 'Persistent' | 'Ephemeral';
  /** The attachment it needs; empty: none. */
  readonly attachmentID: string;
  readonly block: boolean;
}

const FILE = 'vol_data.json';

/** Written before anything is mounted: what is there has a record. */
export async function writeRecord(dir: string, record: VolumeRecord): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o750 });
  const file = join(dir, FILE);
  await writeFile(`${file}.tmp`, JSON.stringify(record), { mode: 0o600, flush: true });
  await rename(`${file}.tmp`, file);
}

/** The records of the folders in `dir`; a folder without one holds nothing yet. */
export async function readRecords(dir: string): Promise<{ readonly dir: string; readonly record: VolumeRecord }[]> {
  const out: { dir: string; record: VolumeRecord }[] = [];
  for (const name of await entries(dir)) {
    const at = join(dir, name);
    const text = await readFile(join(at, FILE), 'utf8').catch(absent);
    if (text === undefined) continue;
    const record = JSON.parse(text) as VolumeRecord;
    out.push({ dir: at, record });
  }
  return out;
}

export async function entries(dir: string): Promise<string[]> {
  return (await readdir(dir).catch(absent)) ?? [];
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
  return undefined;
}
