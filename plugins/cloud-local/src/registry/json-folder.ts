import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

const SUFFIX = '.json';

/**
 * A folder with one JSON file per record: what the cloud remembers. A record is there as a whole or not at all, whenever the process or
 * the machine stops. Readers in other processes are fine; a record has one writer at a time.
 */
export class JsonFolder<T> {
  constructor(
    readonly path: string,
    /** Turns what was read into a record; throws when it is none. */
    private readonly parse: (value: unknown) => T,
  ) {}

  async get(name: string): Promise<T | undefined> {
    const file = this.#file(name);
    let text: string;
    try {
      text = await readFile(file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    try {
      return this.parse(JSON.parse(text));
    } catch (error) {
      throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
    }
  }

  async list(): Promise<{ readonly name: string; readonly value: T }[]> {
    let files: string[];
    try {
      files = await readdir(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    const names = files.filter((f) => f.endsWith(SUFFIX)).map((f) => f.slice(0, -SUFFIX.length));
    const all = await Promise.all(names.sort().map(async (name) => ({ name, value: await this.get(name) })));
    // One that went between the two looks is gone.
    return all.flatMap(({ name, value }) => (value === undefined ? [] : [{ name, value }]));
  }

  async put(name: string, value: T): Promise<void> {
    const file = this.#file(name);
    await mkdir(this.path, { recursive: true });
    const handle = await open(`${file}.tmp`, 'w', 0o600);
    try {
      await handle.writeFile(`${JSON.stringify(value, undefined, 2)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(`${file}.tmp`, file);
  }

  async remove(name: string): Promise<void> {
    await rm(this.#file(name), { force: true });
  }

  #file(name: string): string {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) throw new Error(`${JSON.stringify(name)} cannot be the name of a record`);
    return join(this.path, `${name}${SUFFIX}`);
  }
}
