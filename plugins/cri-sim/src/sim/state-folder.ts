import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromJson, type JsonValue, toJson } from '@bufbuild/protobuf';
import { ContainerConfigSchema, PodSandboxConfigSchema } from '@coxswain/cri';
import type { ContainerRecord, SandboxRecord } from './records.js';

/** Where the simulation is written down. */
export interface SimState {
  saveSandbox(record: SandboxRecord): void;
  saveContainer(record: ContainerRecord): void;
  saveImages(images: readonly string[]): void;
  removeSandbox(id: string): void;
  removeContainer(id: string): void;
  load(): { readonly sandboxes: readonly SandboxRecord[]; readonly containers: readonly ContainerRecord[]; readonly images: readonly string[] };
}

/** Nothing outlives the process. */
export const volatileState: SimState = {
  saveSandbox: () => {},
  saveContainer: () => {},
  saveImages: () => {},
  removeSandbox: () => {},
  removeContainer: () => {},
  load: () => ({ sandboxes: [], containers: [], images: [] }),
};

/** A file a sandbox and a container, each replaced as a whole: a crash leaves the old state or the new one. */
export class StateFolder implements SimState {
  constructor(private readonly root: string) {
    for (const kind of ['sandboxes', 'containers']) mkdirSync(join(root, kind), { recursive: true });
  }

  saveSandbox(record: SandboxRecord): void {
    this.#write(join('sandboxes', `${record.id}.json`), { ...record, config: toJson(PodSandboxConfigSchema, record.config) });
  }

  saveContainer(record: ContainerRecord): void {
    this.#write(join('containers', `${record.id}.json`), { ...record, config: toJson(ContainerConfigSchema, record.config) });
  }

  saveImages(images: readonly string[]): void {
    this.#write('images.json', images);
  }

  removeSandbox(id: string): void {
    rmSync(join(this.root, 'sandboxes', `${id}.json`), { force: true });
  }

  removeContainer(id: string): void {
    rmSync(join(this.root, 'containers', `${id}.json`), { force: true });
  }

  load() {
    const sandboxes = this.#readAll<Omit<SandboxRecord, 'config'>>('sandboxes').map((r) => ({ ...r, config: fromJson(PodSandboxConfigSchema, r.config) }));
    const known = new Set(sandboxes.map((s) => s.id));
    const containers = this.#readAll<Omit<ContainerRecord, 'config'>>('containers').map((r) => ({ ...r, config: fromJson(ContainerConfigSchema, r.config) }));
    // A crash between the two removals of a pod leaves containers without one.
    for (const lost of containers.filter((c) => !known.has(c.sandboxId))) this.removeContainer(lost.id);
    return { sandboxes, containers: containers.filter((c) => known.has(c.sandboxId)), images: this.#read<string[]>('images.json') ?? [] };
  }

  #write(name: string, value: unknown): void {
    const path = join(this.root, name);
    writeFileSync(`${path}.tmp`, JSON.stringify(value));
    renameSync(`${path}.tmp`, path);
  }

  #read<T>(name: string): T | undefined {
    try {
      return JSON.parse(readFileSync(join(this.root, name), 'utf8')) as T;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new Error(`${join(this.root, name)} cannot be read: ${(error as Error).message}; remove it to go on without`, { cause: error });
    }
  }

  #readAll<T>(kind: string): (T & { readonly config: JsonValue })[] {
    return readdirSync(join(this.root, kind))
      .filter((name) => name.endsWith('.json'))
      .flatMap((name) => this.#read<T & { readonly config: JsonValue }>(join(kind, name)) ?? []);
  }
}
