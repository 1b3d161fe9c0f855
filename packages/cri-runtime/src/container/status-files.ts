import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CancelTimer, Clock, Logger } from '@coxswain/sdk';
import { readJson, writeJson } from '../util/json-file.js';
import { type ContainerRecord, type ContainerStatusRecord, loadStatus, type StoredStatus, storeStatus } from './container-record.js';

/** As containerd goes about it: from a second, doubling. */
const RETRY_MS = 1000;
const MAX_RETRY_MS = 5 * 60_000;

/** How containers go, in a file each, from which a restart goes on. */
export class StatusFiles {
  readonly #retries = new Map<string, CancelTimer>();
  #closed = false;

  constructor(
    private readonly rootDir: string,
    private readonly clock: Clock,
    private readonly logger: Logger,
  ) {}

  /** The container's folder. */
  dir(id: string): string {
    return join(this.rootDir, id);
  }

  async make(id: string): Promise<void> {
    await mkdir(this.dir(id), { recursive: true, mode: 0o711 });
  }

  async load(id: string): Promise<ContainerStatusRecord | undefined> {
    const stored = await readJson<StoredStatus>(this.#file(id));
    return stored && loadStatus(stored);
  }

  /** Of what may still be refused: throws when it cannot be written. */
  save(record: ContainerRecord): Promise<void> {
    return writeJson(this.#file(record.meta.id), storeStatus(record.status));
  }

  /** Of what has happened, and so cannot wait for the disk: tried until it is written or the container is removed. */
  keep(record: ContainerRecord): Promise<void> {
    return this.#keep(record, RETRY_MS);
  }

  /** Idempotent. */
  async remove(id: string): Promise<void> {
    this.#settled(id);
    await rm(this.dir(id), { recursive: true, force: true });
  }

  /** Of containers the runtime does not have: a server that was killed between removing one and its folder leaves it. */
  async keepOnly(ids: ReadonlyMap<string, unknown>): Promise<void> {
    for (const id of await readdir(this.rootDir)) if (!ids.has(id)) await this.remove(id);
  }

  /** A server that starts later asks the runtime about what could not be written. */
  close(): void {
    this.#closed = true;
    for (const id of [...this.#retries.keys()]) this.#settled(id);
  }

  async #keep(record: ContainerRecord, retryMs: number): Promise<void> {
    const { id } = record.meta;
    this.#settled(id);
    try {
      await this.save(record);
    } catch (error) {
      if (this.#closed || record.removing) return;
      this.logger.error('writing the status of a container failed; will try again', { err: error, container: id, retryMs });
      this.#retries.set(
        id,
        this.clock.setTimeout(() => void this.#keep(record, Math.min(retryMs * 2, MAX_RETRY_MS)), retryMs),
      );
    }
  }

  #settled(id: string): void {
    this.#retries.get(id)?.();
    this.#retries.delete(id);
  }

  #file(id: string): string {
    return join(this.dir(id), 'status.json');
  }
}
