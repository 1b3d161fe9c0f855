import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A device that a driver has made ready. */
export interface RecordedDevice {
  readonly requests: readonly string[];
  readonly pool: string;
  readonly device: string;
  readonly cdiDevices: readonly string[];
}

/** What is known on disk of a claim that pods of this node use, so that any later kubelet can undo it. */
export interface ClaimRecord {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Pods that use it. */
  readonly pods: readonly string[];
  /** By driver. Undefined: it was asked, or is about to be, and has not answered. */
  readonly drivers: Readonly<Record<string, readonly RecordedDevice[] | undefined>>;
}

interface StateFile {
  readonly version: 1;
  readonly claims: readonly (Omit<ClaimRecord, 'drivers'> & { readonly drivers: Readonly<Record<string, readonly RecordedDevice[] | null>> })[];
}

/** The records, in memory and in one file. A change is on disk when it resolves. */
export class ClaimRecords {
  readonly #records = new Map<string, ClaimRecord>();
  #writing: Promise<void> = Promise.resolve();

  constructor(private readonly file: string) {}

  /** Rejects when the file is there and cannot be read: what it knew must not be forgotten. */
  async load(): Promise<void> {
    let text: string;
    try {
      text = await readFile(this.file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    let state: StateFile;
    try {
      state = JSON.parse(text) as StateFile;
    } catch (cause) {
      throw new Error(`${this.file} is not JSON: remove it once no pod with resource claims runs on this node`, { cause });
    }
    if (state.version !== 1) throw new Error(`${this.file} has version ${String(state.version)}, this kubelet knows 1`);
    for (const { drivers, ...record } of state.claims)
      this.#records.set(record.uid, { ...record, drivers: Object.fromEntries(Object.entries(drivers).map(([name, devices]) => [name, devices ?? undefined])) });
  }

  get(uid: string): ClaimRecord | undefined {
    return this.#records.get(uid);
  }

  all(): readonly ClaimRecord[] {
    return [...this.#records.values()];
  }

  ofPod(podUid: string): readonly ClaimRecord[] {
    return this.all().filter(({ pods }) => pods.includes(podUid));
  }

  set(record: ClaimRecord): Promise<void> {
    this.#records.set(record.uid, record);
    return this.#save();
  }

  delete(uid: string): Promise<void> {
    return this.#records.delete(uid) ? this.#save() : Promise.resolve();
  }

  #save(): Promise<void> {
    this.#writing = this.#writing
      .catch(() => {})
      .then(async () => {
        const claims = this.all().map(({ drivers, ...record }) => ({
          ...record,
          drivers: Object.fromEntries(Object.entries(drivers).map(([name, devices]) => [name, devices ?? null])),
        }));
        await mkdir(dirname(this.file), { recursive: true, mode: 0o750 });
        await writeFile(`${this.file}.tmp`, JSON.stringify({ version: 1, claims } satisfies StateFile), { mode: 0o600, flush: true });
        await rename(`${this.file}.tmp`, this.file);
      });
    return this.#writing;
  }
}
